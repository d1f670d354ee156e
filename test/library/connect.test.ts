/** `connect` over real sockets. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { formatAddress } from '../../src/core/endpoint.js';
import type { Balancer } from '../../src/library/balancer.js';
import { createBalancer } from '../../src/library/create.js';
import type { BalancerOptions } from '../../src/library/options.js';
import { eventually, within } from '../support/deadline.js';
import { LOOPBACK, PeerServer, refusingEndpoint } from '../support/peer.js';
import { errorOf } from './bed.js';

async function server(t: Test): Promise<{ peers: PeerServer; address: string }> {
  const peers = await PeerServer.listen(LOOPBACK);
  t.teardown(() => peers.close());
  return { peers, address: formatAddress(peers.endpoint) };
}

async function balancerOf(t: Test, options: BalancerOptions): Promise<Balancer> {
  const balancer = await createBalancer({ health: { probe: 'none' }, ...options });
  t.teardown(() => balancer.close());
  return balancer;
}

const active = (balancer: Balancer) => balancer.snapshot().backends.map(({ active: n }) => n);
const closed = (socket: Socket) => within('the socket closes', once(socket, 'close'));

t.test('a dial that fails goes on to a backend that was not tried', async (t) => {
  const { peers, address } = await server(t);
  const dead = await Promise.all([1, 2].map(async () => formatAddress(await refusingEndpoint())));
  const balancer = await balancerOf(t, { backends: [...dead, address], outlier: {} });
  for (let turn = 0; turn < 6; turn++) {
    const socket = await balancer.connect();
    const peer = await peers.next();
    socket.write('ping');
    t.equal(await peer.takeText(4), 'ping');
    peer.send('pong');
    t.equal(String((await within('an answer', once(socket, 'data')))[0]), 'pong');
    socket.destroy();
  }
  const states = balancer.snapshot().backends.map(({ state }) => state);
  t.equal(states[2], 'up');
});

t.test('where every dial fails the error says which were tried, and why', async (t) => {
  const dead = await Promise.all([1, 2].map(async () => formatAddress(await refusingEndpoint())));
  const balancer = await balancerOf(t, { backends: dead });
  const error = await errorOf(() => balancer.connect());
  t.match(error, { code: 'dial-failed', cause: { code: 'ECONNREFUSED' } });
  t.same([...(error['tried'] as string[])].sort(), dead.toSorted());
  t.same(active(balancer), [0, 0]);
});

t.test('the place is taken until the socket closes', async (t) => {
  const { address } = await server(t);
  const balancer = await balancerOf(t, { backends: [address], maxConnections: 1 });
  const socket = await balancer.connect();
  t.same(active(balancer), [1]);
  t.match(await errorOf(() => balancer.connect()), { code: 'all-full' });
  const over = closed(socket);
  socket.destroy();
  await over;
  t.same(active(balancer), [0]);
});

t.test('connections that are reset before an answer eject a backend', async (t) => {
  const bad = await server(t);
  const good = await server(t);
  bad.peers.serve((peer) => peer.reset());
  const outlier = { consecutiveFailures: 2 };
  const balancer = await balancerOf(t, { backends: [bad.address, good.address], outlier });
  const ejected = within('the ejection', once(balancer, 'backend-ejected'));
  await eventually('it is out', async () => {
    const socket = await balancer.connect();
    const isBad = socket.remotePort === Number(bad.address.split(':')[1]);
    if (isBad) await closed(socket.on('error', () => {}));
    else socket.destroy();
    return balancer.snapshot().backends[0]?.state === 'ejected' ? true : undefined;
  });
  t.match(await ejected, [{ backend: bad.address, cause: 'failures', inARow: 1 }]);
});

t.test('with onDown = close the connections of a backend that is down end', async (t) => {
  const { peers, address } = await server(t);
  peers.serve(() => {});
  const health = { interval: '50ms', fastInterval: '20ms', fall: 1 };
  const balancer = await balancerOf(t, { backends: [address], health, onDown: 'close' });
  const socket = await balancer.connect();
  const over = closed(socket);
  // The listening socket alone: those that stand go on by themselves.
  peers.deafen();
  await over;
  t.pass();
});

t.test('a signal that aborts ends the dial', async (t) => {
  const balancer = await balancerOf(t, { backends: ['192.0.2.1:9'] });
  const controller = new AbortController();
  const request = errorOf(() => balancer.connect({ signal: controller.signal }));
  controller.abort(new Error('enough'));
  t.match(await request, { message: 'enough' });
  t.same(active(balancer), [0]);
});
