import t from 'tap';
import { Deputies, type Presence, socketsTakenOver } from '../../src/control/deputies.js';
import type { WorkerId } from '../../src/core/brand.js';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import type { SocketPlan } from '../../src/core/plan.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

const PRESENCES: readonly Presence[] = ['serves', 'quiet', 'lost', 'missing', 'returning'];
const PROTOCOLS = ['tcp', 'udp'] as const;
const ROUNDS = 2_000;

t.test(`each that does not serve has one deputy that serves (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const workers of [1, 2, 5]) {
    const ids = Array.from({ length: workers }, (_, id) => id as WorkerId);
    const deputies = new Deputies(workers);
    const picture = () =>
      ids.map((id) => PROTOCOLS.map((protocol) => deputies.chargesOf(id, protocol)));
    const is = (id: WorkerId, ...wanted: Presence[]) => wanted.includes(deputies.presenceOf(id));
    for (let round = 0; round < ROUNDS; round++) {
      const before = picture();
      const worker = below(random, workers) as WorkerId;
      const presence = PRESENCES[below(random, PRESENCES.length)] ?? 'serves';
      const changed = deputies.now(worker, presence);
      const after = picture();
      const differ = ids.filter((id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]));
      if (JSON.stringify(changed) !== JSON.stringify(differ)) t.same(changed, differ);
      const serving = ids.filter((id) => is(id, 'serves'));
      const [tcp, udp] = PROTOCOLS.map((protocol) =>
        ids.flatMap((id) => deputies.chargesOf(id, protocol)).toSorted((a, b) => a - b),
      );
      const absent = serving.length === 0 ? [] : ids.filter((id) => !is(id, 'serves'));
      if (String(tcp) !== String(absent)) t.same(tcp, absent, 'each has one');
      const missing = absent.filter((id) => is(id, 'missing'));
      if (String(udp) !== String(missing)) t.same(udp, missing, 'datagrams have one reader');
      const idle = ids.filter((id) => !is(id, 'serves'));
      const busy = idle.filter((id) => deputies.chargesOf(id, 'tcp').length > 0);
      if (busy.length > 0) t.same(busy, [], 'a deputy serves');
    }
  }
});

t.test('several that are lost at a time have several deputies, which stay', async (t) => {
  const deputies = new Deputies(4);
  const [w0, w1, w2, w3] = [0, 1, 2, 3] as WorkerId[] as [WorkerId, WorkerId, WorkerId, WorkerId];
  t.same(deputies.now(w0, 'lost'), [w1]);
  t.same(deputies.now(w3, 'lost'), [w2]);
  t.same(deputies.now(w0, 'missing'), [w1], 'datagrams come to it');
  t.same(deputies.now(w3, 'returning'), []);
  t.same(deputies.now(w3, 'serves'), [w2]);
  t.same(deputies.chargesOf(w1, 'tcp'), [w0], 'it stays a deputy');
  t.same(deputies.now(w1, 'lost'), [w1, w2, w3], 'both are taken over by others');
});

t.test('a deputy takes over what no other worker would take', async (t) => {
  const wildcard = ipEndpoint(4, '0.0.0.0', 53);
  const specific = ipEndpoint(4, '127.0.0.1', 53);
  const socket = (local: Endpoint): SocketPlan => ({
    key: 1,
    source: { kind: 'descriptor', fd: 3, local },
    socket: 1,
  });
  const bound: SocketPlan = {
    key: 1,
    source: { kind: 'bind', local: specific, reusePort: 'shared' },
    socket: 1,
  };
  const unix = socket({ kind: 'unix', path: '/run/x.sock' });
  const sockets = [socket(wildcard), socket(specific), unix, bound];
  const hosts = (protocol: 'tcp' | 'udp', engine: 'node' | 'uring') =>
    socketsTakenOver(sockets, protocol, engine).map(({ source }) => source.local);
  t.same(hosts('tcp', 'node'), [wildcard, specific]);
  t.same(hosts('tcp', 'uring'), [wildcard, specific]);
  t.same(hosts('udp', 'uring'), [wildcard, specific]);
  t.same(hosts('udp', 'node'), [specific]);
});
