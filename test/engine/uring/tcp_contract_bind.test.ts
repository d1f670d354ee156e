/** The io_uring engine keeps the TCP contract with sockets of its own. */
import t from 'tap';
import { tcpEngineContract } from '../../contract/tcp_engine.js';
import { makerOf } from './harness.js';

const module = new URL('./harness.js?bind', import.meta.url);
tcpEngineContract(t, makerOf({ sockets: 'bind', time: 'fake' }), module);
