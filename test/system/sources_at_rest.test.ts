/** What sources cost while nothing changes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { eventually, nowMs, pass } from '../support/deadline.js';
import { fastTime } from '../support/fast_time.js';
import { tempFolder } from '../support/places.js';
import { FakeConsul, instance } from '../support/servers/fake_consul.js';
import { answering, startFakeDns } from '../support/servers/fake_dns.js';
import { FakeKubernetes, kubeconfigOf, ready, slice } from '../support/servers/fake_kubernetes.js';
import { wrongServer } from '../support/servers/wrong_http.js';
import { serviceText } from '../support/settings.js';

const POOLS = 100;
/** For a figure: SAMPLE_SECONDS=20. */
const SAMPLE_MS = 1_000 * Number(process.env['SAMPLE_SECONDS'] ?? 5);
/** The goal is one; this is for a machine with other work to do. */
const MAX_PERCENT = 4;

function file(sourceOf: (pool: number) => string | null): string {
  return Array.from({ length: POOLS }, (_, at) => {
    const source = sourceOf(at);
    const name = `p${at}`;
    const backends = source === null ? [{ address: '127.0.0.1:9' }] : [];
    const sections = source === null ? '' : `[[pools.${name}.discovery]]\n${source}\n`;
    return serviceText({ name, backends, sections, health: 'probe = "none"' });
  }).join('');
}

t.test('a hundred pools with a source each cost next to nothing at rest', async (t) => {
  const folder = tempFolder(t);
  const members = join(folder, 'members');
  writeFileSync(members, '127.0.0.1:9\n');
  const { timers } = fastTime(1);
  const http = await wrongServer(t);
  http.says('[{"targets": ["127.0.0.1:9"], "labels": {}}]');
  const agent = await wrongServer(t);
  const consul = new FakeConsul(timers);
  consul.tell([instance('127.0.0.1', 9)]);
  agent.serves(consul.handle);
  const cluster = await wrongServer(t);
  const api = new FakeKubernetes(timers);
  api.put(slice('pg-1', [ready('127.0.0.1')], 9));
  cluster.serves(api.handle);
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(cluster.origin, 'token: secret'));
  const dns = await startFakeDns(t);
  dns.reply = (query) => {
    const isA = query.questions?.[0]?.type === 'A';
    const record = { type: 'A', name: 'app.test', ttl: 30, data: '127.0.0.1' } as const;
    return answering(query, isA ? [record] : []);
  };
  const sources = [
    `kind = "file"\npath = "${members}"`,
    `kind = "http"\nurl = "${http.origin}/list"`,
    `kind = "consul"\nurl = "${agent.origin}"\nservice = "pg"`,
    `kind = "kubernetes"\nservice = "db/pg"\nkubeconfig = "${kubeconfig}"`,
    `kind = "dns"\nname = "app.test"\nport = 9\nservers = ["127.0.0.1:${dns.port}"]`,
  ];
  const followed = file((at) => sources[at % sources.length] ?? '');
  const [plain, sourced] = await Promise.all([
    startDaemon(t, { toml: file(() => null) }),
    startDaemon(t, { toml: followed }),
  ]);
  await eventually('every source has answered', () =>
    sourced.eventsNamed('discovery-changed').length === POOLS ? true : undefined,
  );
  const ticks = (): Promise<number[]> =>
    Promise.all([plain, sourced].map((daemon) => daemon.cpuTicks()));
  const [before, beganMs] = [await ticks(), nowMs()];
  await pass(SAMPLE_MS);
  const [after, forMs] = [await ticks(), nowMs() - beganMs];
  // A tick is 10 ms.
  const used = after.map((now, at) => (100 * 10 * (now - (before[at] ?? 0))) / forMs);
  const cost = { plain: used[0] ?? Number.NaN, sourced: used[1] ?? Number.NaN };
  const ofSources = cost.sourced - cost.plain;
  const figures = [cost.plain, cost.sourced, ofSources].map((one) => `${one.toFixed(2)} %`);
  t.comment(`of a core, without sources, with them, and the difference: ${figures.join(', ')}`);
  t.ok(ofSources < MAX_PERCENT, `${ofSources} % of a core`);
  t.same(sourced.eventsNamed('discovery-failed'), []);
});
