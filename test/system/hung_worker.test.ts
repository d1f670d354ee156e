/** A worker that goes round in an endless loop, while datagrams come. */
import t from 'tap';
import { type IpEndpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { MAX_TICK_GAP_MS } from '../../src/engine/engine.js';
import { ENGINE, startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { PLACE_VARIABLE, VICTIM } from '../support/defects.js';
import { sleptInRing } from '../support/threads.js';
import { UdpPeer } from '../support/udp_peer.js';

const EVERY_THREAD = new URL('../support/defects.js', import.meta.url);
const CLIENTS = 8;
/** Of each client, while they are not taken: the thread has some to read when it is ended. */
const DATAGRAMS = 50;

t.test(`${ENGINE}: a worker that hangs on a datagram is replaced, alone`, async (t) => {
  const echo = (await UdpPeer.open()).echo();
  const open = async (host?: string): Promise<UdpPeer> => {
    const peer = await UdpPeer.open(host);
    t.teardown(() => peer.close());
    return peer;
  };
  t.teardown(() => echo.close());
  const daemon = await startDaemon(t, {
    workers: 1,
    everyThread: EVERY_THREAD,
    env: { [PLACE_VARIABLE]: 'hang' },
    expects: ['internal-error', 'worker-lost'],
    toml: `
[listeners.front]
protocol = "udp"
bind = "0.0.0.0:0"
pool = "servers"

[pools.servers]
backends = [{ address = "127.0.0.1:${echo.endpoint.port}" }]
[pools.servers.health]
probe = "none"
`,
  });
  const front = ipEndpoint(4, '127.0.0.1', await daemon.port('front'));
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => open()));
  for (const client of clients) await served(client, front);
  // A thread with nothing to do is not woken, and is looked after again as soon as something comes.
  if (ENGINE === 'uring') await sleptInRing(daemon.pid, 2 * MAX_TICK_GAP_MS);

  (await open(VICTIM)).send(front, 'from the victim');
  await daemon.event('internal-error');
  for (const client of clients) {
    for (let count = 0; count < DATAGRAMS; count++) {
      client.send(front, 'to a thread that hangs');
      for (const { from } of echo.received.past.slice(0, CLIENTS)) echo.send(from, 'a reply');
    }
  }
  t.match(await daemon.event('worker-lost'), { worker: 0, detail: /did not answer/ });
  for (const client of clients) await served(client, front);
  t.equal(daemon.eventsNamed('worker-lost').length, 1);
});

/** It sends until an answer comes. */
async function served(client: UdpPeer, front: IpEndpoint): Promise<void> {
  const before = client.received.past.length;
  await eventually('an answer', () => {
    client.send(front, 'hello');
    return client.received.past.length > before || undefined;
  });
}
