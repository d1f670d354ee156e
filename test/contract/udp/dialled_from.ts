/** UDP contract: flows leave from an address of this machine that the session names. */
import type { Test } from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { type MakeUdp, withUdp } from './bench.js';

const OWN = ipEndpoint(4, '127.0.0.9', 0);
const FOREIGN = ipEndpoint(4, '192.0.2.1', 0);

export function dialledFromContract(t: Test, make: MakeUdp): void {
  withUdp(t, make, 'a flow leaves from the address that it is given', async (bench, t) => {
    const { driver, backend, listener } = bench;
    driver.answers = {};
    const client = await bench.peer();
    client.send(listener, 'one');
    const flow = await driver.firstFlow();
    t.equal(driver.engine.openFlow(flow, backend.endpoint, null, FOREIGN), 'no-source-address');
    t.equal(driver.engine.openFlow(flow, backend.endpoint, null, OWN), 'open');
    const { from, bytes } = await backend.next();
    t.equal(String(bytes), 'one', 'what was held goes there');
    t.equal(from.host, OWN.host);
    backend.send(from, 'two');
    t.equal(await client.text(), 'two');
  });
}
