/** The io_uring engine keeps the TCP contract, with descriptors and with sockets of its own. */
import t from 'tap';
import { tcpEngineContract } from '../../contract/tcp_engine.js';
import { makerOf } from './harness.js';

for (const sockets of ['bind', 'descriptor'] as const) {
  t.test(`listeners of kind ${sockets}`, async (t) => {
    const module = new URL(`./harness.js?${sockets}`, import.meta.url);
    tcpEngineContract(t, makerOf({ sockets, time: 'fake' }), module);
  });
}
