import t from 'tap';
import { RecentEvents, type Wanted } from '../../src/observe/recent_events.js';

const ALL: Wanted = { event: null, sinceWallMs: 0, after: 0, limit: 10_000 };
const down = (detail: string) => ({ pool: 'pg', backend: 'a', cause: 'refused', detail });

t.test('a loud event pushes out no other, and the last of each are told in order', async (t) => {
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
  const count = (wanted: Partial<Wanted>) => recent.list({ ...ALL, ...wanted }).length;
  t.equal(count({}), 6, 'access lines only when they are asked for');
  t.equal(count({ event: 'session' }), 3);
  t.equal(count({ event: 'reloaded' }), 3);
  t.equal(count({ sinceWallMs: 3 }), 2);
  t.equal(count({ after: 3 }), 4);
  t.equal(count({ limit: 2 }), 2);
});

t.test('who follows too slowly hears how many it has missed', async (t) => {
  const recent = new RecentEvents();
  let calls = 0;
  const follower = recent.follow(null, () => calls++);
  for (let n = 0; n < 1_500; n++) recent.add('reloaded', n, {});
  t.equal(calls, 1, 'told once that something waits');
  const { events, lost } = follower?.take() ?? { events: [], lost: 0 };
  t.same([events.length, lost], [1_024, 476]);
  recent.add('reloaded', 1, {});
  t.equal(calls, 2);
  t.equal(follower?.take().events.length, 1);
  follower?.end();
  recent.add('reloaded', 1, {});
  t.equal(calls, 2);
});

t.test('those who follow are few', async (t) => {
  const recent = new RecentEvents();
  const followers = Array.from({ length: 64 }, () => recent.follow(null, () => {}));
  t.equal(
    recent.follow(null, () => {}),
    null,
  );
  followers[0]?.end();
  t.not(
    recent.follow(null, () => {}),
    null,
  );
});

t.test('the history of a backend has what was told of it, repetitions as one entry', async (t) => {
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

t.test('histories are bounded, for each backend and for all', async (t) => {
  const recent = new RecentEvents();
  for (let n = 0; n < 100; n++) recent.add('backend-down', n, down(`${n}`));
  t.equal(recent.historyOf('pg', 'a').length, 48);
  for (let n = 0; n < 66_000; n++) {
    recent.add('backend-added', n, { pool: 'pg', backend: `b${n}` });
  }
  t.equal(recent.historyOf('pg', 'a').length, 0, 'the one that was told of longest ago goes');
  t.equal(recent.historyOf('pg', 'b65999').length, 1);
});
