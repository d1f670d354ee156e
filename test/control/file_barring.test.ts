/** What `sluice explain` says of a listener's access list and limits. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseClient } from '../../src/config/client_word.js';
import { barredByFile } from '../../src/control/file_barring.js';
import { systemClock } from '../../src/system/clock.js';
import { holdingTimers } from '../../src/system/timers.js';
import { loadSpec } from '../support/load_spec.js';
import { tempFolder } from '../support/places.js';

/** Of a client at a listener with `lines`. */
async function said(lines: string, client = '10.1.2.3') {
  const [listener] = loadSpec(`
[listeners.l]
bind = "127.0.0.1:0"
pool = "p"
${lines}
[pools.p]
[[pools.p.backends]]
address = "127.0.0.1:1"
`).listeners;
  const address = parseClient(client);
  if (listener === undefined || !address.ok) throw new Error('a listener and a client');
  const deps = { timers: holdingTimers, clock: systemClock, tried: 'once' } as const;
  const barring = await barredByFile(listener, address.value, deps);
  return barring.ok ? barring.value : barring.error;
}

const LIST = `
access.allow = ["10.0.0.0/8", "2001:db8::/32", "10.1.2.3"]
access.deny = ["10.1.0.0/16", "10.9.9.9"]
`;

async function saysOf(t: Test, lines: string, wanted: Record<string, string>): Promise<void> {
  for (const [client, access] of Object.entries(wanted)) {
    t.match(await said(lines, client), { access }, client);
  }
}

t.test('the access list says what it decides, and by which block', async (t) => {
  await saysOf(t, LIST, {
    '10.2.0.1': 'The access list: allowed, 10.0.0.0/8 decides.',
    '10.1.2.3': 'The access list: allowed, 10.1.2.3 decides.',
    '10.1.2.4': 'The access list: denied, 10.1.0.0/16 decides.',
    '10.9.9.9:80': 'The access list: denied, 10.9.9.9 decides.',
    '192.0.2.1': 'The access list: not-allowed, it is in none of its blocks.',
    '2001:db8::1': 'The access list: allowed, 2001:db8::/32 decides.',
    '2001:db9::1': 'The access list: not-allowed, it is in none of its blocks.',
  });
  await saysOf(t, 'access.deny = ["::/0"]', {
    '10.1.2.3': 'The access list: allowed, it is in none of its blocks.',
    '::1': 'The access list: denied, ::/0 decides.',
  });
  await saysOf(t, 'access.deny = ["0.0.0.0/0"]', {
    '10.1.2.3': 'The access list: denied, 0.0.0.0/0 decides.',
  });
  t.match(await said(LIST, '10.1.2.4'), {
    barred: "It is refused: denied, by the listener's access list.",
  });
  t.match(await said(LIST, '10.2.0.1'), { barred: null });
  t.same(await said(LIST, 'unix'), { access: '', limits: '', barred: null });
  t.same(await said(''), { access: '', limits: '', barred: null });
});

t.test('a dry run refuses no client', async (t) => {
  t.match(await said(`${LIST}access.dry_run = true`, '10.1.2.4'), {
    access: 'The access list: denied, 10.1.0.0/16 decides. It is a dry run, and refuses no client.',
    barred: null,
  });
});

t.test('files are read; what is wrong with one is reported', async (t) => {
  const file = join(tempFolder(t), 'blocks');
  writeFileSync(file, '10.1.2.0/24 # some\n');
  const lines = `access.deny_files = ["${file}"]`;
  t.match(await said(lines), { access: 'The access list: denied, 10.1.2.0/24 decides.' });
  writeFileSync(file, 'nonsense\n');
  t.match(await said(lines), /blocks:1: /);
});

t.test('limits are shown as they are at rest', async (t) => {
  const own = 'limits.sessions_per_client = 3\nlimits.new_per_client = "20/m"\n';
  const of = 'it may have 3 sessions at a time, and 20 new ones in 60 s, 20 of them at once';
  t.match(await said(own), { limits: `The limits, at rest: ${of}.`, barred: null });
  t.match(await said(`${own}limits.exempt = ["10.0.0.0/8"]\nlimits.new_per_second = 9`), {
    limits:
      'The limits, at rest: it may have what it likes, as it is exempt; ' +
      'the listener begins 9 per second.',
  });
  t.match(await said('limits.new_per_second = 9\nlimits.dry_run = true'), {
    limits: 'The limits, at rest: the listener begins 9 per second. They are only tried.',
  });
  t.match(await said('protocol = "udp"\nlimits.sessions_per_client = 1'), {
    limits: 'The limits, at rest: it may have 1 flows at a time.',
  });
});
