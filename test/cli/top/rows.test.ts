import t from 'tap';
import { press } from '../../../src/cli/top/keys.js';
import { type Row, rows } from '../../../src/cli/top/rows.js';
import { looked, lookFailed, type State, told } from '../../../src/cli/top/state.js';
import { backend, listener, look, pool, seen, session } from './looks.js';

const USUAL = { columns: 80, rows: 24 };

const drawn = (state: State, size = USUAL): readonly string[] =>
  rows(state, size).map(({ text }) => text.trimEnd());
const pressed = (state: State, ...keys: readonly string[]): State =>
  keys.reduce((so, key) => press(so, key).state, state);
const rowOf = (all: readonly Row[], word: string): Row | undefined =>
  all.find(({ text }) => text.includes(word));

const BEFORE = look();
const INCIDENT = look(
  {
    atMs: 3_000,
    listeners: [listener({ sessions: 16, refused: [{ reason: 'pool-full', count: 7 }] })],
    pools: [
      pool({ sessions: 16, eligible: 1, queue_length: 3, queue_size: 10 }),
      pool({ name: 'pg', state: 'down', reason: 'no backend is eligible', sessions: 0 }),
    ],
    backends: [
      backend({ active: 16, max_connections: 16, state: 'full', eligible: false, cause: 'full' }),
      backend({ name: 'b', address: '10.0.0.2:80', active: 2, state: 'drained', eligible: false }),
      backend({
        pool: 'pg',
        name: 'x',
        active: 0,
        state: 'down',
        eligible: false,
        cause: 'down',
        reason: 'connection refused',
        last_probe: { result: 'failed', at: '', latency_ms: 240, detail: '' },
      }),
    ],
  },
  {
    sessions_active: 16,
    sessions_total: 1_071,
    refused_total: 12,
    bytes_in_total: 4_096,
    bytes_out_total: 9_437_184,
    overrides: 1,
    trouble: ['pool pg: no backend is eligible', 'something else'],
  },
);

t.test('an incident fits 80 columns and 24 rows', async (t) => {
  const state = pressed(seen(BEFORE, INCIDENT), 'end');
  t.same(drawn(state), [
    'sluice 0.1.0  serving, up 3 h  engine uring, workers 2  12:00:00 UTC',
    'sessions 16 now, 36/s  refused 3.5/s  in 2.0 KiB/s  out 4.5 MiB/s',
    'eligible 0 of 3  queued 3  overrides 1  slowest probe 240.0 ms, pg/x',
    '! (1 more) pool pg: no backend is eligible',
    '  NAME                STATE          FOR    SESSIONS  +-/S REFUSED/S QUEUE PROBE',
    '  web                 open         3 min     16/9000  +2.0       3.5',
    '  - app               up           3 min          16  +2.0         0     3   1.3',
    '      a               full         3 min       16/16  +5.0                   1.3',
    '      b               drained      3 min           2  -2.0                   1.3',
    '  - pg                down         3 min           0     -         -     -   240',
    '>     x               down         3 min           0     -                  fail',
    ...Array.from({ length: 11 }, () => ''),
    '10.0.0.1:80 weight 1; connection refused',
    'file order  s sort  / filter  enter sessions  d drain  r ready  ? help  q quit',
  ]);
});

t.test('a screen of any size is filled exactly, and no row is wider', async (t) => {
  const many = look({
    backends: Array.from({ length: 200 }, (_, index) => backend({ name: `b${index}` })),
  });
  for (const state of [seen(many), pressed(seen(many), 'end'), pressed(seen(many), '?')]) {
    for (const columns of [1, 20, 79, 80, 81, 132, 400]) {
      for (const count of [1, 2, 3, 5, 8, 24, 60, 300]) {
        const all = rows(state, { columns, rows: count });
        const widest = Math.max(...all.map(({ text }) => [...text].length));
        t.ok(all.length === count && widest <= columns, `${columns}x${count}`);
      }
    }
  }
});

t.test('a narrow screen does without some columns, and a cut name is told below', async (t) => {
  const name = 'a-pool-whose-name-is-as-long-as-names-are-where-they-say-it-all';
  const many = look({ pools: [pool({ name })], backends: [backend({ pool: name })] });
  const state = pressed(seen(BEFORE, many), 'down');
  const narrow = drawn(state, { columns: 40, rows: 10 });
  t.same(narrow.slice(4, 8), [
    '  NAME           STATE          SESSIONS',
    '  web            open            12/9000',
    '> - a-pool-whos… up                   12',
    '      a          up                    6',
  ]);
  t.match(
    drawn(state, { columns: 60, rows: 10 })[4],
    /^ {2}NAME +STATE +SESSIONS REFUSED\/S QUEUE$/,
  );
  t.match(drawn(state).at(-2), `${name}; 2 of 2 `);
  const sessions = pressed(state, 'return');
  const listed = looked(sessions, look({ sessions: [session()] }));
  t.match(drawn(listed, { columns: 60, rows: 10 })[4], /^ {2}CLIENT +AT +AGE +IDLE +BYTES$/);
});

t.test('the selected line is on the screen, wherever it is', async (t) => {
  const many = look({
    backends: Array.from({ length: 200 }, (_, index) => backend({ name: `b${index}.` })),
  });
  let state = seen(many);
  for (let at = 0; at < 202; at++) {
    const found = rows(state, USUAL).filter(({ tone }) => tone === 'selected');
    t.equal(found.length, 1);
    if (at >= 2) t.ok(found[0]?.text.startsWith(`>     b${at - 2}. `));
    state = pressed(state, 'down');
  }
});

t.test('a wide screen has the reasons beside', async (t) => {
  const all = rows(seen(BEFORE, INCIDENT), { columns: 140, rows: 24 });
  t.match(rowOf(all, 'PROBE')?.text, /PROBE WHY$/);
  t.match(rowOf(all, '    x')?.text, /fail connection refused$/);
  t.equal(rowOf(all, '    x')?.tone, 'bad');
});

t.test('rates need two looks at the same process', async (t) => {
  t.match(drawn(seen(BEFORE))[1], 'sessions 12 now, -/s');
  t.match(drawn(seen(BEFORE, INCIDENT))[1], 'sessions 16 now, 36/s');
  const restarted = look({ atMs: 5_000 }, { started: '2026-11-29T11:59:59.000Z' });
  t.match(drawn(seen(BEFORE, INCIDENT, restarted))[1], 'sessions 12 now, -/s');
});

t.test('a daemon that does not answer is reported on top of what was seen last', async (t) => {
  const state = lookFailed(seen(BEFORE, INCIDENT), 'the daemon does not answer');
  t.equal(drawn(state)[3], '! the daemon does not answer');
  t.match(drawn(state)[6], 'app');
  t.equal(drawn(looked(state, BEFORE))[3], '');
});

t.test('sessions have clients, places, ages and their bytes per second', async (t) => {
  const view = pressed(seen(look()), 'down', 'return');
  t.match(drawn(view)[5], 'asking');
  const first = looked(view, look({ sessions: [session()] }));
  const state = looked(first, look({ atMs: 2_000, sessions: [session({ bytes_out: 104_100 })] }));
  t.same(drawn(state).slice(4, 6), [
    '  CLIENT                AT                STATE        AGE   IDLE    B/S   BYTES',
    '> 192.0.2.7:51234       app/a             relaying   1 min    2 s 100.0k  104.2k',
  ]);
  t.match(drawn(looked(first, look({ sessions: [] })))[5], 'no sessions now');
});

t.test('the foot asks, takes a filter, and says what became of an order', async (t) => {
  const state = pressed(seen(look()), 'down');
  t.match(drawn(pressed(state, 'd')).at(-1), /^drain all 2 backends of app\? y: /);
  t.match(drawn(pressed(state, 'down', 'r')).at(-1), /^bring back app\/a\? y: /);
  t.match(drawn(pressed(state, '/', 'z')).at(-1), /^filter: z_/);
  t.match(drawn(pressed(state, '/', 'z'))[5], 'nothing fits the filter "z"');
  t.equal(drawn(told(state, 'app/a: drained')).at(-1), 'app/a: drained');
  t.match(drawn(pressed(state, '?')).join('\n'), /drain a backend, or all of a pool; asks before/);
});

t.test('what a terminal would obey, and letters of two places, do no harm', async (t) => {
  const state = seen(look({ backends: [backend({ reason: '\u001b[2J磁盘 slow e\u0301' })] }));
  const text = rows(pressed(state, 'end'), USUAL).at(-2)?.text ?? '';
  t.match(text, ' [2J?? slow e?');
  t.notMatch(text, /[^ -~…]/);
});
