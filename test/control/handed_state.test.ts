/** What a process sends the next one: lines in parts, each read by itself. */
import t from 'tap';
import { KnownBackends } from '../../src/control/upgrade/known_backends.js';
import { Handed, sendState, stateLines } from '../../src/control/upgrade/state_parts.js';
import { FakeTime } from '../support/fake_time.js';

const place = { pool: 'pg', backend: 'a', address: '10.0.0.1:5432' };
const KEY = 'pg/a@10.0.0.1:5432';
const passive = { ...place, returnedMs: 7_000, ejection: null };

/** As they come over a socket. */
const lines = (...items: readonly object[]) =>
  [...stateLines('passive', items as Record<string, unknown>[])].map((line) =>
    JSON.parse(JSON.stringify(line)),
  );

t.test('a time is sent as that of the machine, whenever a process stood still', async (t) => {
  const handed = new Handed();
  const clock = Object.assign(new FakeTime(), { stillMs: () => 4_000 });
  const known = new KnownBackends(handed, clock);
  for (const line of lines(passive)) handed.hear(line);
  t.same(known.passiveOf(KEY), { returnedMs: 3_000, ejection: null });
  t.same(known.passiveOf('pg/b@10.0.0.2:5432'), { returnedMs: null, ejection: null });
  known.forget();
  t.equal(known.passiveOf(KEY).returnedMs, null, 'it holds for the first plan');
});

t.test('what came before it was asked for is not lost', async (t) => {
  const handed = new Handed();
  for (const line of lines(passive)) handed.hear(line);
  const known = new KnownBackends(handed, new FakeTime());
  t.equal(known.passiveOf(KEY).returnedMs, 7_000);
});

t.test('garbage takes nothing else with it, and is reported once', async (t) => {
  const handed = new Handed();
  const known = new KnownBackends(handed, new FakeTime());
  const bad = [
    { ...passive, returnedMs: 'soon' },
    { ...passive, pool: 7 },
    { ...passive, address: undefined },
    { ...passive, ejection: { kind: 'away' } },
  ];
  for (const line of lines(...bad, passive)) handed.hear(line);
  handed.hear({ kind: 'state', format: 1, of: 'passive', items: [null, 7, 'x', []] });
  handed.hear({ kind: 'state', format: 1, of: 'passive' });
  handed.hear({ kind: 'state', format: 2, of: 'passive', items: [{}] });
  handed.hear({ kind: 'state', format: 1, of: 'backends', items: [{ ...place, state: 'up' }] });
  handed.hear({ kind: 'state', format: 1, of: 'horoscopes', items: [{}] });
  handed.hear({ kind: 'state' });
  t.equal(known.passiveOf(KEY).returnedMs, 7_000);
  t.equal(known.verdictOf(KEY), null);
  t.equal(handed.takeTrouble(), '10 of passive, 1 of backends');
  t.equal(handed.takeTrouble(), null);
});

t.test('ten thousand items are many lines, with turns for others between them', async (t) => {
  const items = Array.from({ length: 10_000 }, (_, index) => ({
    ...passive,
    backend: `b${index}`,
  }));
  let [sent, turns, most] = [0, 0, 0];
  const channel = {
    send: async (line: object) => {
      sent++;
      most = Math.max(most, JSON.stringify(line).length);
    },
  };
  await sendState(channel, stateLines('passive', items), async () => void turns++);
  t.equal(turns, sent);
  t.ok(sent > 50, `${sent} lines`);
  t.ok(most < 65_536, `${most} bytes`);
});
