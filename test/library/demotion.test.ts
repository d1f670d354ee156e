/** A source that knows roles gives a member another one: its sockets end as those of one down. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { createBalancer } from '../../src/library/create.js';
import { thisMachine } from '../../src/library/machine.js';
import { eventually, within } from '../support/deadline.js';
import { fastTime } from '../support/fast_time.js';
import { wrongServer } from '../support/servers/wrong_http.js';

async function listening(t: Test): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {}).resume();
    t.teardown(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

for (const onDown of ['close', 'keep'] as const) {
  t.test(`onDown: '${onDown}' when the leader is another one`, async (t) => {
    const ports = [await listening(t), await listening(t)];
    const patroni = await wrongServer(t);
    const leads = (leader: number | undefined, timeline: number): void =>
      patroni.says(
        JSON.stringify({
          members: ports.map((port) => ({
            name: `pg${port}`,
            role: port === leader ? 'leader' : 'replica',
            state: port === leader ? 'running' : 'streaming',
            host: '127.0.0.1',
            port,
            timeline,
            lag: 0,
          })),
        }),
      );
    leads(ports[0], 1);
    const balancer = await createBalancer(
      {
        discovery: { kind: 'patroni', urls: [patroni.origin], role: 'primary' },
        health: { probe: 'none' },
        onDown,
      },
      { ...thisMachine, ...fastTime(10) },
    );
    t.teardown(() => balancer.close());
    await eventually('the leader is known', () => balancer.snapshot().backends[0]);
    const socket = await balancer.connect();
    t.teardown(() => socket.destroy());
    t.equal(socket.remotePort, ports[0]);
    const ended = once(socket, 'close');
    const left = once(balancer, 'backend-removed');
    leads(ports[1], 2);
    await within('the former leader leaves', left);
    if (onDown === 'close') await within('the end of its socket', ended);
    else t.notOk(socket.destroyed, 'it goes on');
    const next = await balancer.connect();
    t.equal(next.remotePort, ports[1]);
    next.destroy();
  });
}
