/** /health as text: a page that a person in a terminal can read at a glance. */
import t from 'tap';
import { span, textTable } from '../../src/admin/table.js';
import { healthText } from '../../src/admin/text.js';
import { HEALTH } from './fake_views.js';

const DNS_REASON = 'bind: address already in use (EADDRINUSE)';

t.test('that probes are too many for their limit is said, with the figures', async (t) => {
  const probes = { wantedPerSecond: 5000, allowedPerSecond: 2000, stretch: 2.5 };
  t.equal(
    healthText({ ...HEALTH, probes }).split('\n')[4],
    'probes: intervals are stretched 2.5 times, because they ask for 5000 probes per second and ' +
      'daemon.probes_per_second allows 2000',
  );
});

t.test('the whole state stands in tables, one line for each thing', async (t) => {
  const lines = healthText(HEALTH).split('\n');
  const cells = lines.map((line) => line.trim().split(/ {2,}/));
  t.same(lines.slice(0, 5), [
    'sluice 1.2.3, process 4711, serving, up 3 h',
    'engine uring (the first that works here), 2 workers',
    'configuration 3fa9c1d2, read 12 min ago',
    '12 sessions now, 3456 so far, 7 refused',
    '',
  ]);
  t.same(cells.slice(5, 8), [
    ['LISTENER', 'PROTOCOL', 'ADDRESS', 'POOL', 'STATE', 'SINCE', 'SESSIONS', 'REFUSED'],
    [
      'pg',
      'tcp',
      '0.0.0.0:5432 [::]:5432',
      'main',
      'open',
      '3 h',
      '12 of 4096',
      'all-down 5, queue-full 2',
    ],
    [
      'dns',
      'udp',
      '127.0.0.1:53',
      'main',
      'failed',
      '5 s',
      '0 of 1000',
      'flow-limit 3',
      DNS_REASON,
    ],
  ]);
  t.equal(
    lines[9],
    'POOL main: up for 3 h, 1 of 4 backends eligible, policy p2c, probe postgres, ' +
      'queue 3 of 100, refused: all-down 5',
  );
  const passed = 'passed in 1.3 ms, 1 s ago';
  const failed = 'failed in 0.3 ms, 2 s ago: refused';
  t.same(cells.slice(11), [
    ['a', '10.0.0.1:97', 'up', '1 min', '7 of 10', '1', passed],
    ['b', '10.0.0.1:98', 'down', '1 min', '0', '1', failed, 'refused 3 times in a row'],
    ['c', '10.0.0.1:99', 'up, backup', '1 min', '0', '0.5 of 1', passed, 'a backup'],
    ['d (backup)', '10.0.0.1:100', 'unproven', '1 min', '0', '1', 'none yet'],
    [''],
  ]);
});

t.test('text from a backend cannot steer the terminal', async (t) => {
  const [pool] = HEALTH.pools;
  const backends = (pool?.backends ?? []).map((backend) => ({
    ...backend,
    reason: '\u001b[2J\n!',
  }));
  const text = healthText({ ...HEALTH, pools: HEALTH.pools.map((one) => ({ ...one, backends })) });
  t.notMatch(text, /[^\n\P{Cc}]/u);
});

t.test('a span is shown in the largest unit that fits', async (t) => {
  t.same([-5, 999, 1_000, 59_999, 60_000, 3_600_000, 86_400_000 * 40].map(span), [
    '0 s',
    '0 s',
    '1 s',
    '59 s',
    '1 min',
    '1 h',
    '40 d',
  ]);
});

t.test('columns are as wide as their widest cell, in characters', async (t) => {
  t.same(
    textTable(
      [
        ['a', 'bcd'],
        ['äöü', 'x'],
      ],
      '> ',
    ),
    ['> a    bcd', '> äöü  x'],
  );
});
