/** What `sluice doctor` says about machines of many kinds. */
import t from 'tap';
import { doctor } from '../../../src/cli/doctor/doctor.js';
import { examineMachine } from '../../../src/cli/doctor/report.js';
import { reportText } from '../../../src/cli/doctor/text.js';
import type { MachineSurvey } from '../../../src/control/machine.js';
import { loadSpec } from '../../support/load_spec.js';

const GOOD: MachineSurvey = {
  node: 'v20.19.0',
  platform: 'linux',
  release: '6.1.0',
  architecture: 'x64',
  cores: 8,
  workers: 8,
  portSharing: 'possible',
  engines: [
    { engine: 'uring', state: 'usable', note: 'io_uring of Linux 6.1' },
    { engine: 'node', state: 'usable', note: 'node:net and node:dgram' },
  ],
  auto: 'uring',
  descriptors: { soft: 524_288, hard: 524_288 },
  lockedMemory: { soft: 8_388_608, hard: Number.POSITIVE_INFINITY },
  ports: { first: 32_768, last: 60_999 },
  acceptBacklog: 4_096,
};
const limit = (machine: MachineSurvey, name: string) =>
  examineMachine(machine, '1.2.3').limits.find((finding) => finding.name === name);

t.test('a good machine has engines, limits with what they allow, and no remedy', async (t) => {
  const report = examineMachine(GOOD, '1.2.3');
  t.equal(report.verdict, 'good');
  t.same(
    report.limits.filter(({ advice }) => advice !== null),
    [],
  );
  const text = reportText(report);
  t.match(text, 'sluice 1.2.3, Node.js v20.19.0 on linux 6.1.0 (x64)');
  t.match(text, /uring +yes +io_uring of Linux 6\.1\n/);
  t.match(text, /open files +524288 +259668 TCP sessions at the same time/);
  t.match(text, /source ports +32768 to 60999 +28232 sessions at the same time to one backend/);
  t.match(text, /accept backlog +4096 +4096 connections may wait/);
  t.match(text, /locked memory +8192 KiB +the rings of 14 uring workers/);
  t.match(text, 'engine = "auto" takes uring.');
  t.notMatch(text, 'REMEDIES');
});

t.test('for an engine that does not work there is the cause and the remedy', async (t) => {
  const cause = 'io_uring is switched off.';
  const remedy = 'Run `sysctl -w kernel.io_uring_disabled=0`.';
  const [, node] = GOOD.engines;
  const engines = [
    { engine: 'uring', state: 'unusable', cause, remedy } as const,
    ...(node ? [node] : []),
  ];
  const report = examineMachine({ ...GOOD, engines, auto: 'node' }, '1.2.3');
  t.equal(report.verdict, 'good', 'another one serves');
  t.match(report.engines[0], { engine: 'uring', usable: 'no', advice: { cause, remedy } });
  const text = reportText(report);
  t.match(text, /uring +no +io_uring is switched off\.\n/);
  t.match(text, `REMEDIES\n  uring: ${cause}\n    ${remedy}\n`);
});

t.test('where no engine works the verdict is bad', async (t) => {
  const report = examineMachine({ ...GOOD, engines: [], auto: null }, '1.2.3');
  t.equal(report.verdict, 'bad');
  t.match(reportText(report), 'sluice cannot run here');
});

t.test('a limit that is low has a remedy', async (t) => {
  const low: MachineSurvey = {
    ...GOOD,
    workers: 1,
    portSharing: 'impossible',
    descriptors: { soft: 1_024, hard: 4_096 },
    ports: { first: 60_000, last: 60_999 },
    acceptBacklog: 128,
    lockedMemory: { soft: 65_536, hard: 65_536 },
  };
  const advised = examineMachine(low, '1.2.3').limits.filter(({ advice }) => advice !== null);
  t.same(
    advised.map(({ name }) => name),
    ['CPU cores', 'open files', 'source ports', 'accept backlog', 'locked memory'],
  );
  t.match(limit(low, 'CPU cores'), { allows: '"auto" starts 1 worker thread' });
  t.match(limit(low, 'open files'), { advice: { remedy: /LimitNOFILE/ } });
  t.match(limit(low, 'source ports'), { numbers: { dials: 1_000 } });
  t.match(limit(low, 'locked memory'), { advice: { remedy: /LimitMEMLOCK/ } });
  t.match(limit(low, 'accept backlog'), { advice: { cause: /4096 to 128/ } });
});

t.test('no limit, and one that is not known, are said and are null in JSON', async (t) => {
  const free = { soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY };
  const endless = { ...GOOD, descriptors: free, lockedMemory: free };
  t.match(limit(endless, 'open files'), { value: 'unlimited', numbers: { soft: null } });
  t.match(limit(endless, 'locked memory'), { value: 'unlimited', numbers: { soft: null } });
  const blind = { ...GOOD, descriptors: null, ports: null, acceptBacklog: null };
  for (const name of ['open files', 'source ports', 'accept backlog']) {
    t.match(limit(blind, name), { value: 'unknown', numbers: {}, allows: /\/proc/ });
  }
});

const POOLED = `[listeners.a]
bind = "127.0.0.1:1"
pool = "p"
max_sessions = 100_000
[listeners.b]
bind = "127.0.0.1:1"
protocol = "udp"
pool = "p"
[pools.p]
source = ["10.0.0.2", "10.0.0.3", "2001:db8::2"]
max_connections = 60_000
health.probe = "none"
[[pools.p.backends]]
address = "10.0.0.9:1"
[[pools.p.backends]]
address = "10.0.0.8:1"
max_connections = 7
[pools.unused]
[[pools.unused.backends]]
address = "10.0.0.9:1"`;

t.test('each pool of a file has as many sessions to a backend as its source ports', async (t) => {
  const report = (toml: string) => examineMachine(GOOD, '1.2.3', loadSpec(toml));
  t.match(report(POOLED).pools, [
    {
      pool: 'p',
      sources: 2,
      most: 56_464,
      wanted: 60_000,
      allows: '56464 sessions to one backend address; the file allows 60000',
      advice: { remedy: /`source`/ },
    },
    { pool: 'p', most: 56_464, wanted: null, allows: /flows to all backends; no limit/ },
  ]);
  t.equal(report(POOLED).pools?.length, 2, 'no client comes to the other one');
  const text = reportText(report(POOLED));
  t.match(text, /POOLS.*\n +p +2 source addresses +56464 /);
  t.match(text, /\n {2}pool p: The file allows 60000/);
  const capped = POOLED.replace('max_sessions = 100_000', 'max_sessions = 500');
  t.match(report(capped).pools?.[0], { wanted: 500, advice: null });
  const six = POOLED.replace('10.0.0.9:1', '[2001:db8::1]:1');
  t.match(report(six).pools?.[0], { sources: 1, most: 28_232 });
  const over = POOLED.replaceAll(/"10.0.0.[98]:1"/g, (_, at) => `"unix:/run/${at}"`);
  t.same(report(over.replace('protocol = "udp"', '').replace(':1"', ':2"')).pools, []);
  t.equal(examineMachine(GOOD, '1.2.3').pools, null);
});

t.test('the command looks at this machine, as text and as JSON', async (t) => {
  let text = '';
  const sink = { write: (more: string) => (text += more) };
  t.equal(await doctor({}, '1.2.3', sink), 0, 'the tests run here, so does the daemon');
  t.match(text, /node +yes/);
  text = '';
  t.equal(await doctor({ json: true }, '1.2.3', sink), 0);
  t.match(JSON.parse(text), { version: '1.2.3', verdict: 'good', engines: [Object], limits: [] });
});
