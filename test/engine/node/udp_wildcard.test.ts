/** A wildcard follows the addresses of its machine; here without foreign calls. */
import t from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { err, ok, type Result } from '../../../src/core/result.js';
import type { LocalAddress } from '../../../src/engine/node/local_addresses.js';
import { NodeUdp } from '../../../src/engine/node/udp.js';
import { SelfDials } from '../../../src/engine/self_dials.js';
import { systemClock } from '../../../src/system/clock.js';
import { FakeTime } from '../../support/fake_time.js';
import { UdpDriver } from '../../support/udp_driver.js';
import { UdpPeer } from '../../support/udp_peer.js';

const address = (host: string): LocalAddress => ({ host, zonedHost: host, scopeId: 0 });

t.test('a new address answers for itself after the next look, one that went is left', async (t) => {
  const time = new FakeTime();
  let present: Result<readonly LocalAddress[], string> = ok([address('127.0.0.1')]);
  const selfDials = new SelfDials(() => null);
  const deps = { clock: systemClock, timers: time, kernel: null, selfDials };
  const engine = new NodeUdp(8, { ...deps, addresses: () => present });
  const driver = new UdpDriver();
  engine.attach(driver, () => {});
  driver.drive(engine);
  t.teardown(() => engine.stop());
  const backend = (await UdpPeer.open()).echo();
  t.teardown(() => backend.close());
  driver.forwardTo(backend.endpoint);
  const opened = await engine.openListener(
    1,
    { kind: 'bind', local: ipEndpoint(4, '0.0.0.0', 0), reusePort: 'exclusive' },
    'plain',
  );
  if (!opened.ok || opened.local.kind !== 'ip') throw new Error('not opened');
  const to = ipEndpoint(4, '127.0.0.2', opened.local.port);
  const ask = async (): Promise<string> => {
    const client = await UdpPeer.open('0.0.0.0');
    client.send(to, 'x');
    const { from } = await client.next();
    await client.close();
    return from.host;
  };

  t.equal(await ask(), '127.0.0.1', 'the kernel chooses');
  present = ok([address('127.0.0.1'), address('127.0.0.2'), address('192.0.2.254')]);
  await time.pass(2_000);
  t.equal(await ask(), '127.0.0.2');
  driver.closeAll();
  present = err('EMFILE');
  await time.pass(2_000);
  t.equal(await ask(), '127.0.0.2', 'while the addresses are unknown, all stays as it is');
  present = ok([address('127.0.0.1')]);
  await time.pass(2_000);
  t.equal(await ask(), '127.0.0.2', 'it is kept while it has a flow');
  driver.closeAll();
  await time.pass(2_000);
  t.equal(await ask(), '127.0.0.1');
});
