/**
 * Backends that etcd, Consul and Kubernetes know. etcd is a real one; the other two are servers of
 * test/support that speak the part of the protocol which a source uses, from its documentation.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BINARY, type Daemon, startDaemon } from '../support/daemon.js';
import { fastTime } from '../support/fast_time.js';
import { startHosts, underTraffic } from '../support/load/rolling.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { haveServers } from '../support/require_server.js';
import { startEtcd } from '../support/servers/etcd.js';
import { FakeConsul, instance } from '../support/servers/fake_consul.js';
import { FakeKubernetes, kubeconfigOf, ready, slice } from '../support/servers/fake_kubernetes.js';
import { wrongServer } from '../support/servers/wrong_http.js';
import { serviceText } from '../support/settings.js';

const POOL = 'p';
const { timers } = fastTime(1);

function toml(source: string): string {
  const sections = `[[pools.${POOL}.discovery]]\n${source}\nhold = "0s"\n`;
  return serviceText({ name: POOL, backends: [], sections });
}

const range = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + index);
const added = (daemon: Daemon, address: string): Promise<unknown> =>
  daemon.event('backend-up', ({ backend }) => String(backend) === address);
const removed = (daemon: Daemon, address: string): Promise<unknown> =>
  daemon.event('backend-removed', (record) => record['address'] === address);

t.test('etcd: backends follow its keys, and its death and amnesia take no member', async (t) => {
  if (!haveServers(t, 'etcd')) return;
  const hosts = await startHosts(t, 10, 1, 2, 3, 4, 5, 6);
  const etcd = await startEtcd(t);
  await etcd.put('/pg/1', hosts.at(1));
  await etcd.put('/pg/2', hosts.at(2));
  const source = `kind = "etcd"\nurls = ["${etcd.origin}"]\nprefix = "/pg/"`;
  const daemon = await startDaemon(t, { toml: toml(source) });
  await daemon.backendsUp(POOL, 2);
  await underTraffic(t, { daemon, pool: POOL, perSecond: 100 }, async () => {
    await etcd.put('/pg/3', JSON.stringify({ address: hosts.at(3), name: 'third', weight: 2 }));
    await added(daemon, 'third');
    await etcd.put('/pg/4', hosts.at(4), await etcd.lease(2));
    await added(daemon, hosts.at(4));
    await hosts.leave(daemon, 4);
    await etcd.remove('/pg/1');
    await hosts.leave(daemon, 1);

    await etcd.kill();
    await daemon.event('discovery-failed', ({ cause }) => cause === 'unreachable');
    await etcd.start();
    await daemon.event('discovery-recovered', ({ before }) => before === 'failed');
    await etcd.compact();
    await etcd.put('/pg/5', hosts.at(5));
    await added(daemon, hosts.at(5));
    await etcd.remove('/pg/2');
    await hosts.leave(daemon, 2);

    await etcd.kill();
    etcd.forget();
    await etcd.start();
    await daemon.event('discovery-empty');
    await etcd.putAll([3, 5, 6].map((number) => [`/pg/${number}`, hosts.at(number)]));
    await added(daemon, hosts.at(6));
  });
  const left = daemon.eventsNamed('backend-removed').map((record) => record['address']);
  t.same(
    left,
    [4, 1, 2].map((number) => hosts.at(number)),
  );
});

t.test('consul: backends follow a service, and an index that falls is no end', async (t) => {
  const hosts = await startHosts(t, 10, 1, 2, 3, 4, 5);
  const server = await wrongServer(t);
  const consul = new FakeConsul(timers);
  const tell = (...numbers: readonly number[]): void =>
    consul.tell(numbers.map((number) => instance(hosts.host(number), hosts.port)));
  tell(1, 2);
  server.serves(consul.handle);
  const source = `kind = "consul"\nurl = "${server.origin}"\nservice = "pg"`;
  const daemon = await startDaemon(t, { toml: toml(source) });
  await daemon.backendsUp(POOL, 2);
  await underTraffic(t, { daemon, pool: POOL, perSecond: 100 }, async () => {
    tell(1, 2, 3);
    await added(daemon, `pg-${hosts.host(3)}`);
    tell(2, 3);
    await hosts.leave(daemon, 1, `pg-${hosts.host(1)}`);
    consul.restore(7);
    tell(2, 3, 4);
    await added(daemon, `pg-${hosts.host(4)}`);

    server.wrong.get('gone')?.begin();
    consul.release();
    await daemon.event('discovery-failed', ({ cause }) => cause === 'unreachable');
    tell(3, 4, 5);
    server.serves(consul.handle);
    await added(daemon, `pg-${hosts.host(5)}`);
    await hosts.leave(daemon, 2, `pg-${hosts.host(2)}`);
  });
  const left = daemon.eventsNamed('backend-removed').map((record) => record['address']);
  t.same(
    left,
    [1, 2].map((number) => hosts.at(number)),
  );
});

t.test('kubernetes: pods are replaced one by one, through cuts and 410 Gone', async (t) => {
  const hosts = await startHosts(t, 10, 1, 2, 3);
  const server = await wrongServer(t);
  const api = new FakeKubernetes(timers);
  const terminating = { ready: false, serving: true, terminating: true };
  const put = (serving: readonly number[], draining: readonly number[] = []): void => {
    const going = draining.map((number) => ({
      addresses: [hosts.host(number)],
      conditions: terminating,
    }));
    const pods = serving.map((number) => ready(hosts.host(number)));
    api.put(slice('pg-1', [...pods, ...going], hosts.port));
  };
  put([1, 2, 3]);
  server.serves(api.handle);
  const kubeconfig = join(tempFolder(t), 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(server.origin, 'token: secret'));
  const source = `kind = "kubernetes"
service = "db/pg"
port = "postgres"
kubeconfig = "${kubeconfig}"`;
  const daemon = await startDaemon(t, { toml: toml(source) });
  await daemon.backendsUp(POOL, 3);
  const forgetful = (): void => {
    api.cut();
    api.forget();
  };
  const between = [(): void => {}, (): void => api.cut(), forgetful];
  await underTraffic(t, { daemon, pool: POOL, perSecond: 100 }, async () => {
    for (const [index, change] of between.entries()) {
      const [old, next] = [1 + index, 4 + index];
      await hosts.start(next);
      const others = [1, 2, 3, 4, 5].filter((number) => number > old && number < next);
      change();
      put([...others, next], [old]);
      await added(daemon, hosts.at(next));
      await removed(daemon, hosts.at(old));
      await hosts.leave(daemon, old);
      put([...others, next]);
    }
  });
  t.equal(daemon.eventsNamed('backend-removed').length, 3);
  t.ok(api.tokens.every((token) => token === 'Bearer secret'));
});

t.test('kubernetes: thirty pods are replaced under traffic, and no client notices', async (t) => {
  const hosts = await startHosts(t, 10, ...range(1, 30));
  const server = await wrongServer(t);
  const api = new FakeKubernetes(timers);
  const put = (serving: readonly number[], draining: readonly number[] = []): void => {
    const going = draining.map((number) => ({
      addresses: [hosts.host(number)],
      conditions: { ready: false, serving: true, terminating: true },
    }));
    const pods = [...serving.map((number) => ready(hosts.host(number))), ...going];
    api.put(slice('pg-1', pods.slice(0, 20), hosts.port));
    api.put(slice('pg-2', pods.slice(20), hosts.port));
  };
  put(range(1, 30));
  server.serves(api.handle);
  const kubeconfig = join(tempFolder(t), 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(server.origin, 'token: secret'));
  const source = `kind = "kubernetes"\nservice = "db/pg"\nkubeconfig = "${kubeconfig}"`;
  const daemon = await startDaemon(t, { toml: toml(source) });
  await daemon.backendsUp(POOL, 30);
  await underTraffic(t, { daemon, pool: POOL, perSecond: 500 }, async () => {
    for (let first = 1; first < 30; first += 10) {
      const old = range(first, 10);
      await hosts.start(...range(first + 30, 10));
      const serving = range(first + 10, 30);
      put(serving, old);
      await Promise.all(old.map((number) => hosts.leave(daemon, number)));
      put(serving);
    }
  });
  t.equal(daemon.eventsNamed('backend-drained').length, 30);
  t.equal(daemon.eventsNamed('sessions-closing').length, 0);
});

t.test('sluice discover asks each of them once', async (t) => {
  if (!haveServers(t, 'etcd')) return;
  const etcd = await startEtcd(t);
  await etcd.put('/pg/1', '10.0.0.1:5432');
  const consul = new FakeConsul(timers);
  consul.tell([instance('10.0.0.2', 5_432)]);
  const agent = await wrongServer(t);
  agent.serves(consul.handle);
  const api = new FakeKubernetes(timers);
  api.put(slice('pg-1', [ready('10.0.0.3')], 5_432));
  const cluster = await wrongServer(t);
  cluster.serves(api.handle);
  const folder = tempFolder(t);
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(cluster.origin, 'token: secret'));
  const sources = [
    `kind = "etcd"\nurls = ["${etcd.origin}"]\nprefix = "/pg/"`,
    `kind = "consul"\nurl = "${agent.origin}"\nservice = "pg"`,
    `kind = "kubernetes"\nservice = "db/pg"\nkubeconfig = "${kubeconfig}"`,
  ].map((source) => `[[pools.${POOL}.discovery]]\n${source}\n`);
  const file = join(folder, 'sluice.toml');
  writeFileSync(file, serviceText({ name: POOL, backends: [], sections: sources.join('') }));
  const { code, stdout } = await runToEnd(process.execPath, [BINARY, 'discover', '-c', file]);
  t.equal(code, 0);
  t.match(stdout, /etcd \/pg\/ .*: 1 member\n {2}10\.0\.0\.1:5432 weight 1\n/);
  t.match(stdout, /consul pg .*: 1 member\n {2}10\.0\.0\.2:5432 name pg-10\.0\.0\.2 weight 1\n/);
  t.match(stdout, /kubernetes db\/pg: 1 member\n {2}10\.0\.0\.3:5432 weight 1/);
});
