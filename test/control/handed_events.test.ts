/** What has happened in one process, shown by the one that takes its place. */
import t from 'tap';
import {
  eventRecords,
  historyRecords,
  takeOverEvents,
} from '../../src/control/upgrade/past_events.js';
import { Handed, type StatePart, stateLines } from '../../src/control/upgrade/state_parts.js';
import { RecentEvents } from '../../src/observe/recent_events.js';

const ALL = { event: null, sinceWallMs: 0, after: 0, limit: 10_000 } as const;
const down = (backend: string) => ({ pool: 'pg', backend, cause: 'refused', detail: 'x' });

function setUp() {
  const [before, recent, handed] = [new RecentEvents(), new RecentEvents(), new Handed()];
  recent.add('starting', 50, { version: '2' });
  takeOverEvents(handed, recent);
  const tell = () => {
    const say = (part: StatePart, items: Iterable<Record<string, unknown>>) => {
      for (const line of stateLines(part, items)) handed.hear(JSON.parse(JSON.stringify(line)));
    };
    say('events', eventRecords(before));
    say('histories', historyRecords(before));
    handed.settle();
    return handed.settled;
  };
  return { before, recent, handed, tell };
}

t.test('what happened before comes first, under numbers that grow', async (t) => {
  const { before, recent, tell } = setUp();
  before.add('backend-down', 10, down('a'));
  before.add('session', 20, { id: '0-1' });
  before.add('reloaded', 30, {});
  await tell();
  recent.add('ready', 60, {});
  const told = recent.list(ALL).map(({ event, wallMs }) => [event, wallMs]);
  t.same(told, [
    ['backend-down', 10],
    ['reloaded', 30],
    ['starting', 50],
    ['ready', 60],
  ]);
  const numbers = [...recent.list({ ...ALL, event: 'session' }), ...recent.list(ALL)];
  t.same(numbers.map(({ number }) => number).sort(), [1, 2, 3, 4, 5]);
  t.equal(recent.last, 5);
});

t.test('why a backend is as it is is known on', async (t) => {
  const { before, recent, tell } = setUp();
  for (const wallMs of [10, 11, 12]) before.add('backend-down', wallMs, down('a'));
  await tell();
  recent.add('backend-up', 70, { pool: 'pg', backend: 'a', cause: 'recovered' });
  const history = recent.historyOf('pg', 'a');
  t.match(history, [
    { first: { wallMs: 10 }, last: { wallMs: 12, fields: down('a') }, count: 3 },
    { first: { wallMs: 70, event: 'backend-up' }, count: 1 },
  ]);
});

t.test('it stays bounded, however much is sent', async (t) => {
  const { before, recent, tell } = setUp();
  for (let wallMs = 0; wallMs < 3_000; wallMs++) {
    before.add(wallMs % 2 === 0 ? 'backend-down' : 'backend-up', wallMs, down('a'));
    recent.add('reloaded', wallMs, {});
  }
  await tell();
  t.equal(recent.list(ALL).length, 3 * 256 + 1);
  t.equal(recent.historyOf('pg', 'a').length, 48);
});

t.test('garbage is left out, and events of another version too', async (t) => {
  const { recent, handed } = setUp();
  const good = { wallMs: 7, event: 'backend-down', fields: down('a') };
  const bad = [
    { ...good, wallMs: 'now' },
    { ...good, event: 7 },
    { ...good, fields: null },
  ];
  const hear = (of: StatePart, ...items: unknown[]) =>
    handed.hear({ kind: 'state', format: 1, of, items });
  hear('events', ...bad, { ...good, event: 'backend-dreams' }, good);
  const place = { pool: 'pg', backend: 'a' };
  const entry = { first: good, last: good, count: 2 };
  const badEntries = [
    { ...entry, count: 'two' },
    { ...entry, first: null },
    { ...entry, last: 7 },
  ];
  for (const one of badEntries) hear('histories', { ...place, history: [one, entry] });
  hear('histories', { pool: 'pg', history: [entry] }, { ...place, history: 7 });
  hear('histories', {
    ...place,
    history: [{ ...entry, first: { ...good, event: 'backend-dreams' } }, entry],
  });
  t.equal(handed.takeTrouble(), '3 of events, 5 of histories');
  handed.settle();
  await handed.settled;
  t.equal(recent.list({ ...ALL, event: 'backend-down' }).length, 1);
  t.match(recent.historyOf('pg', 'a'), [{ count: 2 }]);
});
