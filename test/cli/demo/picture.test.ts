/** What the demo shows. */
import t from 'tap';
import type { BackendView, HealthView } from '../../../src/admin/views.js';
import {
  introduction,
  type Moment,
  picture,
  pictureLine,
  summary,
} from '../../../src/cli/demo/picture.js';
import { type DemoTally, NOTHING_YET } from '../../../src/cli/demo/tally.js';

const backend = (name: string, port: number, active: number): BackendView => ({
  name,
  address: `127.0.0.1:${port}`,
  state: 'up',
  eligible: true,
  cause: null,
  reason: '',
  sinceWallMs: 0,
  active,
  maxConnections: 0,
  weight: 1,
  weightEffective: 1,
  backup: false,
  overrides: [],
  lastProbe: null,
});

const health: HealthView = {
  phase: 'serving',
  version: '1.2.3',
  engine: 'node',
  engineReason: '',
  workers: 2,
  pid: 1,
  nowWallMs: 0,
  startedWallMs: 0,
  configHash: '',
  configuredWallMs: 0,
  overrides: [],
  probes: { wantedPerSecond: 0, allowedPerSecond: 0, stretch: 1 },
  traffic: {
    sessionsActive: 0,
    sessionsTotal: 0,
    refusedTotal: 0,
    bytesInTotal: 0,
    bytesOutTotal: 0,
  },
  listeners: [
    {
      name: 'demo',
      protocol: 'tcp',
      addresses: ['127.0.0.1:4000'],
      pool: 'demo',
      pools: ['demo'],
      state: 'open',
      reason: '',
      sinceWallMs: 0,
      sessions: 0,
      maxSessions: 100,
      refused: [],
      dropped: [],
    },
  ],
  pools: [
    {
      name: 'demo',
      policy: 'p2c',
      probe: 'tcp',
      state: 'up',
      reason: '',
      sinceWallMs: 0,
      queueLength: 0,
      evenness: { load: null, firstByteMs: null, failures: null },
      queueSize: 0,
      overrides: [],
      discovery: [],
      refused: [],
      backends: [
        backend('fast', 5001, 11),
        {
          ...backend('slow', 5002, 0),
          state: 'down',
          eligible: false,
          reason: 'connection refused',
        },
      ],
    },
  ],
};

const tally: DemoTally = {
  backends: [
    { name: 'fast', answered: 300, totalMs: 6_000 },
    { name: 'slow', answered: 100, totalMs: 8_000 },
  ],
  failed: 0,
  lastFailure: null,
  deaths: 1,
};
const earlier: DemoTally = {
  ...tally,
  backends: [
    { name: 'fast', answered: 200, totalMs: 4_000 },
    { name: 'slow', answered: 100, totalMs: 8_000 },
  ],
};
const moment: Moment = { elapsedMs: 4_100, health, tally, earlier };

t.test('the introduction says where clients go and where the admin page is', async (t) => {
  const text = introduction(health, '127.0.0.1:9000', 24).join('\n');
  t.match(text, 'clients go to  127.0.0.1:4000 (engine node, 2 workers)');
  t.match(text, 'admin page     http://127.0.0.1:9000/');
});

t.test('the table has a row a backend, with the shares of late and the sum so far', async (t) => {
  t.strictSame(picture(moment), [
    'BACKEND  ADDRESS         STATE  ACTIVE  SHARE   MEAN   SESSIONS  REASON',
    'fast     127.0.0.1:5001  up         11  100 %   20 ms       300',
    'slow     127.0.0.1:5002  down        0    0 %       -       100  connection refused',
    '',
    '  4 s  400 sessions, 0 failed',
  ]);
});

t.test('the line says the same for a pipe', async (t) => {
  t.equal(
    pictureLine(moment),
    '  4 s | fast up, 11 active, 100 %, 20 ms | slow down, 0 active, 0 %, - ' +
      '| 400 sessions, 0 failed',
  );
});

t.test('before the first answer there are rows, too', async (t) => {
  const lines = picture({ ...moment, tally: NOTHING_YET, earlier: NOTHING_YET });
  t.match(lines[1], /^fast .* 11 +0 % +- +0$/);
});

t.test('the summary counts sessions, failures, deaths and dials that went on', async (t) => {
  t.strictSame(summary(tally, 10_020, 7), [
    '10.0 s: 400 sessions, 0 failed.',
    '1 death of a backend; 7 dials went on to another one.',
    '  fast  300 sessions   75 %  mean 20 ms',
    '  slow  100 sessions   25 %  mean 80 ms',
  ]);
});

t.test('a failure is shown with the reason of the last one', async (t) => {
  const bad = { ...tally, failed: 2, lastFailure: 'read ECONNRESET' };
  t.match(summary(bad, 1_000, 0)[0], '400 sessions, 2 failed (the last one: read ECONNRESET).');
});
