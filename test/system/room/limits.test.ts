/** The kernel's limits, parsed from the text of /proc. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import {
  descriptorLimit,
  ephemeralPortRange,
  parseDescriptorLimit,
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

t.test('the range of source ports has a first and a last port', async (t) => {
  t.same(parsePortRange('32768\t60999\n'), { first: 32_768, last: 60_999 });
  t.equal(parsePortRange('none\n'), null);
  const range = ephemeralPortRange();
  t.ok(range && range.first > 0 && range.first <= range.last);
});
