import t from 'tap';
import { RecentEvents, type WantedEvents } from '../../src/observe/recent_events.js';

const ALL: WantedEvents = { event: null, sinceWallMs: 0, after: 0, limit: 10_000 };
const down = (detail: string) => ({ pool: 'pg', backend: 'a', cause: 'refused', detail });

t.test('a loud event pushes out no other, and the last of each are listed in order', async (t) => {
  const recent = new RecentEvents();
  recent.add('ready', 1, { listeners: 1 });
  for (let wallMs = 2; wallMs < 10_000; wallMs++) recent.add('accept-failed', wallMs, {});
  recent.add('stopping', 10_000, {});
  const told = recent.list(ALL);
  t.equal(told[0]?.event, 'ready');
  t.equal(told.at(-1)?.event, 'stopping');
  t.equal(told.length, 258);
  t.equal(told.at(-2)?.wallMs, 9_999);
});

t.test('events are asked for by name, time, and number', async (t) => {
  const recent = new RecentEvents();
  for (const wallMs of [1, 2, 3]) {
    recent.add('backend-down', wallMs, down('x'));
    recent.add('reloaded', wallMs, {});
    recent.add('session', wallMs, { id: '0-1' });
  }
  const count = (wanted: Partial<WantedEvents>) => recent.list({ ...ALL, ...wanted }).length;
  t.equal(count({}), 6, 'access lines only when they are asked for');
  t.equal(count({ event: 'session' }), 3);
  t.equal(count({ event: 'reloaded' }), 3);
  t.equal(count({ sinceWallMs: 3 }), 2);
  t.equal(count({ after: 3 }), 4);
  t.equal(count({ limit: 2 }), 2);
});

t.test('a reader that waits for the next event gets it once, and nothing else', async (t) => {
  const recent = new RecentEvents();
  const heard: string[] = [];
  recent.atNext(null, () => heard.push('any'));
  recent.atNext('reloaded', () => heard.push('reloaded'));
  recent.atNext('session', () => heard.push('session'));
  recent.atNext('stopping', () => heard.push('given up'))?.();
  recent.add('session', 1, {});
  t.same(heard, ['session']);
  recent.add('ready', 2, {});
  recent.add('reloaded', 3, {});
  recent.add('stopping', 4, {});
  t.same(heard, ['session', 'any', 'reloaded']);
});

t.test('the readers that wait are few', async (t) => {
  const recent = new RecentEvents();
  const waiting = Array.from({ length: 16 }, () => recent.atNext(null, () => {}));
  t.notOk(waiting.includes(null));
  t.equal(
    recent.atNext(null, () => {}),
    null,
  );
  waiting[0]?.();
  t.not(
    recent.atNext(null, () => {}),
    null,
  );
});

t.test('a reader that asks too seldom learns that something is forgotten', async (t) => {
  const recent = new RecentEvents();
  recent.add('ready', 1, {});
  for (let n = 0; n < 300; n++) recent.add('reloaded', n, {});
  t.ok(recent.hasForgotten({ event: null, after: 1 }));
  t.ok(recent.hasForgotten({ event: 'reloaded', after: 1 }));
  t.notOk(recent.hasForgotten({ event: 'ready', after: 1 }));
  t.notOk(recent.hasForgotten({ event: null, after: 100 }));
  t.equal(recent.last, 301);
});

t.test('the history of a backend has what was reported of it, repeats as one entry', async (t) => {
  const recent = new RecentEvents();
  recent.add('probe-failed', 1, down('connection refused'));
  recent.add('probe-failed', 2, down('connection refused'));
  recent.add('backend-down', 3, down('connection refused'));
  recent.add('backend-up', 4, { pool: 'pg', backend: 'b', cause: 'passed' });
  recent.add('session', 5, { pool: 'pg', backend: 'a' });
  const history = recent.historyOf('pg', 'a');
  t.match(history, [
    { first: { event: 'probe-failed', wallMs: 1 }, last: { wallMs: 2 }, count: 2 },
    { first: { event: 'backend-down', wallMs: 3 }, count: 1 },
  ]);
  t.equal(history.length, 2);
  t.same(recent.historyOf('pg', 'nobody'), []);
});

t.test(
  'what differs in a word is no repetition, and what differs in a figure is one',
  async (t) => {
    const recent = new RecentEvents();
    const order = { pool: 'pg', backend: 'a', by: 'root', configured: '1' };
    recent.add('override-set', 1, { ...order, kind: 'weight', value: '50%' });
    recent.add('override-set', 2, { ...order, kind: 'cap', value: '7' });
    recent.add('probe-failed', 3, { ...down('refused'), duration_ms: 1.5 });
    recent.add('probe-failed', 4, { ...down('refused'), duration_ms: 2.5 });
    const kinds = recent.historyOf('pg', 'a').map(({ last, count }) => [last.event, count]);
    t.same(kinds, [
      ['override-set', 1],
      ['override-set', 1],
      ['probe-failed', 2],
    ]);
  },
);

t.test('histories are bounded, for each backend and for all', async (t) => {
  const recent = new RecentEvents();
  for (let n = 0; n < 100; n++) recent.add('backend-down', n, down(`${n}`));
  t.equal(recent.historyOf('pg', 'a').length, 48);
  for (let n = 0; n < 66_000; n++) {
    recent.add('backend-added', n, { pool: 'pg', backend: `b${n}` });
  }
  t.equal(recent.historyOf('pg', 'a').length, 0, 'the one with the oldest entry goes');
  t.equal(recent.historyOf('pg', 'b65999').length, 1);
});
