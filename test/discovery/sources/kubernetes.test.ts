/** EndpointSlices: how they are followed, and what an endpoint is to sluice. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { KubernetesSourceSpec } from '../../../src/core/discovery_spec.js';
import { kubernetesSource } from '../../../src/discovery/sources/kubernetes.js';
import { makeCertificate } from '../../support/certificate.js';
import { eventually } from '../../support/deadline.js';
import { tempFolder } from '../../support/places.js';
import {
  FakeKubernetes,
  kubeconfigOf,
  ready,
  slice,
} from '../../support/servers/fake_kubernetes.js';
import { closeServer, trackSockets } from '../../support/servers/tracked.js';
import { wrongServer } from '../../support/servers/wrong_http.js';
import { asked, DEPS, TIMELESS, texts } from './asked.js';

const SPEC: KubernetesSourceSpec = {
  kind: 'kubernetes',
  namespace: 'db',
  service: 'pg',
  port: 'postgres',
  kubeconfig: null,
  zone: null,
};

async function clusterFor(t: Test, more: Partial<KubernetesSourceSpec> = {}, deps = DEPS) {
  const server = await wrongServer(t);
  const api = new FakeKubernetes(DEPS.timers);
  server.serves(api.handle);
  const kubeconfig = join(tempFolder(t), 'kubeconfig');
  const user = (text: string): void => writeFileSync(kubeconfig, kubeconfigOf(server.origin, text));
  user('token: first');
  const source = kubernetesSource({ ...SPEC, kubeconfig, ...more }, deps);
  return { server, api, user, ask: asked(source) };
}

const watches = (api: FakeKubernetes): readonly (string | null)[] =>
  api.asked.map((query) => query.get('resourceVersion'));

t.test('slices are listed once, and then watched from where the list was', async (t) => {
  const { api, ask } = await clusterFor(t);
  api.put(slice('pg-1', [ready('10.0.0.1')], 5_432));
  t.same(texts(await ask()), ['10.0.0.1:5432']);
  api.put(slice('pg-2', [ready('10.0.0.2')], 5_432));
  t.same(texts(await ask()), ['10.0.0.1:5432', '10.0.0.2:5432'], 'before the watch began');
  const later = ask();
  api.remove('pg-1');
  t.same(texts(await later), ['10.0.0.2:5432']);
  t.same(watches(api), [null, '1001', '1002']);
  t.equal(api.asked[0]?.get('labelSelector'), 'kubernetes.io/service-name=pg');
});

t.test('a bookmark moves the place from which a quiet watch goes on', async (t) => {
  const { api, ask } = await clusterFor(t);
  api.put(slice('pg-1', [ready('10.0.0.1')], 5_432));
  await ask();
  const later = ask();
  await eventually('a watch', () => (api.asked.length === 2 ? true : undefined));
  api.bookmark();
  t.equal(texts(await later), 'unchanged');
  api.forget();
  api.put(slice('pg-1', [ready('10.0.0.3')], 5_432));
  t.same(texts(await ask()), ['10.0.0.3:5432'], '410 Gone: listed at once');
  t.same(watches(api), [null, '1001', '1002', null]);
});

t.test('a watch that is gone again and again is listed less and less often', async (t) => {
  const { api, ask } = await clusterFor(t);
  await ask();
  const waits: number[] = [];
  for (let turn = 0; turn < 7; turn++) {
    api.forget();
    const answer = await ask();
    if (answer.kind === 'unchanged') waits.push(answer.againMs);
  }
  t.ok(waits.length >= 2);
  t.ok(
    waits.every((wait, at) => wait > (waits[at - 1] ?? 0) && wait < 18_000),
    `${waits}`,
  );
});

t.test('a watch that is cut goes on later from the same place', async (t) => {
  const { api, ask } = await clusterFor(t);
  await ask();
  const later = ask();
  await eventually('a watch', () => (api.asked.length === 2 ? true : undefined));
  api.cut();
  const answer = await later;
  t.ok(answer.kind === 'unchanged' ? answer.againMs > 500 : answer.kind === 'failed');
  const again = ask();
  api.put(slice('pg-1', [ready('10.0.0.1')], 5_432));
  t.same(texts(await again), ['10.0.0.1:5432']);
  t.same(watches(api), [null, '1000', '1000']);
});

const tooLong = (response: ServerResponse): void => {
  response.end(`{"type": "ADDED", "object": "${'x'.repeat(5_000_000)}"}\n`);
};
const WATCHES_THAT_FAIL: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'answers with more than': tooLong,
  'the watch answers 403': (response) => response.writeHead(403).end(),
  'the watch ends at once': (response) => response.end(),
  'the watch is too old, or says what cannot be read': (response) => response.end('nonsense\n'),
  'ends at once': (response) => {
    response.flushHeaders();
    setImmediate(() => response.socket?.resetAndDestroy());
  },
};

for (const [why, fail] of Object.entries(WATCHES_THAT_FAIL)) {
  t.test(`a watch that always fails (${why}) is listed less and less often`, async (t) => {
    const { server, api, ask } = await clusterFor(t, {}, TIMELESS);
    server.serves((request, response) => {
      if (!request.url?.includes('watch=1')) api.handle(request, response);
      else fail(response);
    });
    const waits: number[] = [];
    let told: readonly string[] = [];
    for (let turn = 0; turn < 14; turn++) {
      // A watch would not report it.
      api.put(slice('pg-1', [ready(`10.0.0.${turn}`)], 5_432));
      const answer = await ask();
      t.not(answer.kind, 'failed');
      if (answer.kind === 'members') told = answer.remarks;
      else if (answer.kind === 'unchanged') waits.push(answer.againMs);
    }
    const grow = waits.every((wait, at) => wait > Math.min(11_999, (waits[at - 1] ?? 0) * 1.3));
    t.ok(waits.length >= 5 && grow, `${waits}`);
    t.match(told, [/^its changes cannot be followed \(/]);
    t.ok(String(told).includes(why), String(told));
    server.serves(api.handle);
    let last = await ask();
    for (let turn = 0; turn < 3 && last.kind !== 'members'; turn++) last = await ask();
    api.put(slice('pg-1', [ready('10.0.0.99')], 5_432));
    const seen = await ask();
    t.same(texts(seen), ['10.0.0.99:5432']);
    t.match(seen, { remarks: [] });
  });
}

t.test('more news than one question may bring is taken in several', async (t) => {
  const { api, ask } = await clusterFor(t);
  await ask();
  // Each line is long, and all of them together are more than an answer may be.
  const zone = 'z'.repeat(800_000);
  for (let at = 0; at < 8; at++) {
    api.put(slice(`pg-${at}`, [{ ...ready(`10.0.0.${at}`), zone }], 5_432));
  }
  let count = 0;
  for (let turn = 0; turn < 8 && count < 8; turn++) {
    const answer = await ask();
    t.equal(answer.kind, 'members');
    count = answer.kind === 'members' ? answer.members.length : count;
  }
  t.equal(count, 8);
});

t.test('ready serves, terminating drains, and neither is not named', async (t) => {
  const { api, ask } = await clusterFor(t);
  const states = [
    { ready: true, serving: true, terminating: false },
    { ready: false, serving: true, terminating: true },
    { ready: false, serving: false, terminating: true },
    { ready: false, serving: false, terminating: false },
    {},
    { ready: true, serving: true, terminating: true },
  ];
  api.put(
    slice(
      'pg-1',
      states.map((conditions, at) => ({ addresses: [`10.0.0.${at}`], conditions })),
      5_432,
    ),
  );
  t.same(texts(await ask()), [
    '10.0.0.0:5432',
    '10.0.0.1:5432 drain',
    '10.0.0.4:5432',
    '10.0.0.5:5432 drain',
  ]);
});

t.test('slices of both families, with ports of their own and zones, make one set', async (t) => {
  const { api, ask } = await clusterFor(t, { zone: 'a' });
  const pod = (host: string, zone: string, forZones: readonly string[] = []) => ({
    ...ready(host),
    zone,
    ...(forZones.length === 0 ? {} : { hints: { forZones: forZones.map((name) => ({ name })) } }),
    targetRef: { kind: 'Pod' as const, name: `pg-${host}` },
  });
  api.put(slice('pg-6', [pod('2001:db8::1', 'a')], 5_432, { addressType: 'IPv6' }));
  api.put(slice('pg-4', [pod('10.0.0.1', 'b', ['a']), pod('10.0.0.2', 'a', ['b'])], 5_433));
  api.put(
    slice('pg-odd', [pod('10.0.0.3', 'a')], 5_432, { ports: [{ name: 'metrics', port: 9_187 }] }),
  );
  const answer = await ask();
  t.same(texts(answer), [
    '10.0.0.1:5433 pg-10.0.0.1',
    '10.0.0.2:5433 pg-10.0.0.2 backup',
    '[2001:db8::1]:5432 pg-2001:db8::1',
  ]);
  t.match(answer, { leftOut: ['pg-odd has no port postgres'] });
});

t.test('a token is read each time, and a user that needs a program has none', async (t) => {
  const { api, user, ask } = await clusterFor(t);
  await ask();
  user('token: second');
  const later = ask();
  await eventually('a watch', () => (api.asked.length === 2 ? true : undefined));
  api.release();
  await later;
  t.same(api.tokens, ['Bearer first', 'Bearer second']);
  user('exec: {command: aws}');
  t.match(texts(await ask()), /^refused: .*its user needs a program, and none is run$/);
});

t.test(
  'a cluster is reached over TLS, by its authority, and a certificate or a token',
  async (t) => {
    const { key, cert } = await makeCertificate(t);
    const api = new FakeKubernetes(DEPS.timers);
    api.put(slice('pg-1', [ready('10.0.0.1')], 5_432));
    const clients: boolean[] = [];
    const options = { key, cert, ca: cert, requestCert: true, rejectUnauthorized: false };
    const server = createServer(options, (request, response) => {
      clients.push((request.socket as TLSSocket).authorized);
      api.handle(request, response);
    });
    const sockets = trackSockets(server);
    t.teardown(() => closeServer(server, sockets));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = String((server.address() as AddressInfo).port);
    const folder = tempFolder(t);
    const spec = { ...SPEC, kubeconfig: join(folder, 'kubeconfig') };
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const told = async (user: string, trust?: string): Promise<readonly string[] | string> => {
      writeFileSync(spec.kubeconfig, kubeconfigOf(`https://localhost:${port}`, user, trust));
      return texts(await asked(kubernetesSource(spec, DEPS))());
    };
    const trust = `certificate-authority-data: ${base64(cert)}`;
    const user = `client-certificate-data: ${base64(cert)}\n    client-key-data: ${base64(key)}`;
    t.same(await told(user, trust), ['10.0.0.1:5432']);
    t.match(await told(user), /^unreachable: .*certificate/);
    writeFileSync(join(folder, 'token'), 'of-the-pod');
    writeFileSync(join(folder, 'ca.crt'), cert);
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port };
    const inside = kubernetesSource({ ...spec, kubeconfig: null }, DEPS, { folder, env });
    t.same(texts(await asked(inside)()), ['10.0.0.1:5432']);
    t.same(clients, [true, false]);
    t.same(api.tokens, [undefined, 'Bearer of-the-pod']);
  },
);

t.test('in a pod it is the service account, and elsewhere it says so', async (t) => {
  const folder = tempFolder(t);
  const outside = asked(kubernetesSource(SPEC, DEPS, { folder, env: {} }));
  t.match(texts(await outside()), /^refused: this is no pod, and there is no kubeconfig$/);
  const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' };
  const inside = asked(kubernetesSource(SPEC, DEPS, { folder, env }));
  t.match(texts(await inside()), /^refused: .*token: /);
});
