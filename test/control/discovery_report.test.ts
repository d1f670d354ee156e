/** What is reported of a source: one line when something begins, and one when it is over. */
import t from 'tap';
import { SourceTeller } from '../../src/control/discovery_report.js';
import type { Doubt } from '../../src/discovery/doubt.js';
import type { FollowerView } from '../../src/discovery/follower.js';
import type { Log } from '../../src/observe/log.js';

const TOLD = { pool: 'p', source: 's', spec: { rules: { confirmMs: 10_000 } } };

function teller() {
  const lines: string[] = [];
  const log: Log = {
    event: (name, fields) => {
      const { removed, problems } = fields as unknown as Record<string, unknown>;
      lines.push([name, removed ?? problems].filter(Boolean).join(' '));
    },
    access: () => {},
    configure: () => {},
    flush: async () => {},
  };
  const one = new SourceTeller(log);
  let before: Doubt | null = null;
  const hear = (doubt: Doubt | null, nowMs: number, more: Partial<FollowerView> = {}): void => {
    const view = { doubt, held: [], leftOut: [], remarks: [], goodMs: null, nextMs: null, ...more };
    one.news(TOLD, view, { members: 'same', failure: null, before }, nowMs);
    before = doubt;
  };
  return { lines, hear };
}

function down(sinceMs: number): Doubt {
  return { kind: 'failed', failure: 'timeout', problem: 'mute', sinceMs };
}

t.test('a failure and its end are a line each', async (t) => {
  const { lines, hear } = teller();
  hear(null, 0);
  hear(down(1_000), 1_000);
  hear(down(1_000), 2_000);
  hear(null, 3_000);
  hear(null, 90_000);
  t.same(lines, ['discovery-failed', 'discovery-recovered']);
});

t.test('one that fails every other time is reported once, and its end once steady', async (t) => {
  const { lines, hear } = teller();
  for (let at = 0; at < 100_000; at += 2_000) {
    hear(down(at), at);
    hear(null, at + 1_000);
  }
  t.same(lines, ['discovery-failed', 'discovery-recovered', 'discovery-failed']);
  hear(null, 150_000);
  t.equal(lines.length, 3);
  hear(null, 160_000);
  t.same(lines.slice(3), ['discovery-recovered']);
  hear(down(230_000), 230_000);
  hear(null, 231_000);
  t.same(lines.slice(4), ['discovery-failed', 'discovery-recovered']);
});

t.test('a suspicion against others is a line, however soon it comes', async (t) => {
  const { lines, hear } = teller();
  const against = (name: string, sinceMs: number): Doubt => {
    return { kind: 'suspicious', missing: [name], of: 1, sinceMs };
  };
  hear(against('a', 0), 0);
  hear(null, 1_000);
  hear(against('a', 2_000), 2_000);
  hear(null, 3_000);
  hear(against('a', 4_000), 4_000);
  hear(null, 5_000);
  hear(against('b', 6_000), 6_000);
  t.same(lines, [
    'discovery-suspicious a',
    'discovery-recovered',
    'discovery-suspicious a',
    'discovery-suspicious b',
  ]);
});

t.test(
  'what is left out is reported when it is another, and not each time that it comes',
  async (t) => {
    const { lines, hear } = teller();
    for (let at = 0; at < 20_000; at += 1_000) {
      hear(null, at, { leftOut: at % 2_000 === 0 ? ['x: no port'] : [] });
    }
    hear(null, 21_000, { leftOut: ['y: no port'], remarks: ['slow'] });
    hear(null, 22_000, { leftOut: ['y: no port'], remarks: ['slow'] });
    t.same(lines, [
      'discovery-left-out x: no port',
      'discovery-left-out y: no port',
      'discovery-remark slow',
    ]);
  },
);

t.test('thousands are named by the first ones, and how many more there are', async (t) => {
  const { lines, hear } = teller();
  const names = Array.from({ length: 3_000 }, (_, n) => `n${n}`);
  hear({ kind: 'suspicious', missing: names, of: 3_000, sinceMs: 0 }, 0, { leftOut: names });
  for (const line of lines) t.match(line, /^\S+ n0,.*,n31,and 2968 more$/);
  t.equal(lines.length, 2);
});
