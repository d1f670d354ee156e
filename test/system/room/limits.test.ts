/** The kernel's limits, parsed from the text of /proc. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import {
  acceptBacklogLimit,
  descriptorLimit,
  ephemeralPortRange,
  lockedMemoryLimit,
  parseAddressSpaceLimit,
  parseDescriptorLimit,
  parseLockedMemoryLimit,
  parseNumber,
  parsePortRange,
} from '../../../src/system/limits.js';

t.test('the descriptor limit is the one that a child process inherits', async (t) => {
  const shell = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  const hard = descriptorLimit()?.hard;
  t.equal(String(hard === Number.POSITIVE_INFINITY ? 'unlimited' : hard), shell);
});

t.test('limits are read as numbers, and "unlimited" as no bound', async (t) => {
  const line = 'Max open files            1024                 unlimited            files     \n';
  t.same(parseDescriptorLimit(`Limit\n${line}`), { soft: 1024, hard: Number.POSITIVE_INFINITY });
  t.equal(parseDescriptorLimit('Limit\n'), null);
});

t.test('locked memory is counted in bytes, as the shell has it in KiB', async (t) => {
  const line = 'Max locked memory         8388608              unlimited            bytes     \n';
  const limit = parseLockedMemoryLimit(`Limit\n${line}`);
  t.same(limit, { soft: 8_388_608, hard: Number.POSITIVE_INFINITY });
  t.equal(parseLockedMemoryLimit('Limit\n'), null);
  const shell = execFileSync('sh', ['-c', 'ulimit -Sl'], { encoding: 'utf8' }).trim();
  const soft = lockedMemoryLimit()?.soft ?? Number.NaN;
  t.equal(soft === Number.POSITIVE_INFINITY ? 'unlimited' : String(soft / 1024), shell);
});

t.test('the address space is counted in bytes', async (t) => {
  const line = 'Max address space         3221225472           unlimited            bytes     \n';
  t.same(parseAddressSpaceLimit(line), { soft: 3_221_225_472, hard: Number.POSITIVE_INFINITY });
  t.equal(parseAddressSpaceLimit('Limit\n'), null);
});

t.test('the bound of the accept queue is one number', async (t) => {
  t.equal(parseNumber('4096\n'), 4_096);
  t.equal(parseNumber('many\n'), null);
  t.ok((acceptBacklogLimit() ?? 0) > 0);
});

t.test('the range of source ports has a first and a last port', async (t) => {
  t.same(parsePortRange('32768\t60999\n'), { first: 32_768, last: 60_999 });
  t.equal(parsePortRange('none\n'), null);
  const range = ephemeralPortRange();
  t.ok(range && range.first > 0 && range.first <= range.last);
});
