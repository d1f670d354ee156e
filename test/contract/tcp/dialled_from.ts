/** TCP contract: dials from an address of this machine that the session names. */
import type { Test } from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { refusingEndpoint } from '../../support/peer.js';
import { type MakeEngine, withEngine } from './bench.js';

const OWN = ipEndpoint(4, '127.0.0.9', 0);
const OWN_6 = ipEndpoint(6, '::1', 0);
const FOREIGN = ipEndpoint(4, '192.0.2.1', 0);

export function dialledFromContract(t: Test, make: MakeEngine): void {
  withEngine(t, make, 'a dial comes from the address that it is given', async (bench, t) => {
    const { driver, backend } = bench;
    driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
    const client = await bench.connect();
    driver.engine.dial(await driver.nextPair(), backend.endpoint, Buffer.from('prelude '), OWN);
    const peer = await backend.next();
    t.equal(peer.socket.remoteAddress, OWN.host);
    client.finish('request');
    t.equal(String(await peer.rest()), 'prelude request');
    peer.finish('response');
    t.equal(String(await client.rest()), 'response');
    await driver.nextEnd();
  });

  withEngine(
    t,
    make,
    'over IPv6, too',
    async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
      await bench.connect();
      driver.engine.dial(await driver.nextPair(), backend.endpoint, null, OWN_6);
      t.equal((await backend.next()).socket.remoteAddress, '::1');
    },
    { backend: OWN_6 },
  );

  withEngine(
    t,
    make,
    'an address that is not here fails as that; another may do',
    async (bench, t) => {
      const { driver, backend } = bench;
      driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
      await bench.connect();
      const pair = await driver.nextPair();
      driver.engine.dial(pair, backend.endpoint, null, FOREIGN);
      t.equal(driver.count('dialFailed'), 0, 'not from inside the call');
      t.match(await driver.next('dialFailed'), { failure: 'no-source-address' });
      driver.engine.dial(pair, backend.endpoint, null, OWN);
      t.equal((await backend.next()).socket.remoteAddress, OWN.host);
    },
  );

  withEngine(t, make, 'a dial that is refused there is refused', async (bench, t) => {
    const { driver } = bench;
    await bench.connect();
    const closed = await refusingEndpoint();
    driver.engine.dial(await driver.nextPair(), closed, null, OWN);
    t.match(await driver.next('dialFailed'), { failure: 'refused' });
  });

  withEngine(t, make, 'a dial from an address is given up like any other', async (bench, t) => {
    const { driver, backend } = bench;
    driver.answers = { dialled: (pair) => driver.engine.relay(pair) };
    await bench.connect();
    const pair = await driver.nextPair();
    for (const source of [OWN, FOREIGN]) {
      driver.engine.dial(pair, backend.endpoint, null, source);
      driver.engine.cancelDial(pair);
    }
    driver.engine.dial(pair, backend.endpoint, null, OWN);
    await driver.next('dialled');
    t.equal(driver.count('dialFailed'), 0);
  });
}
