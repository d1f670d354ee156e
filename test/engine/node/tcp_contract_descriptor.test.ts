/** The node engine keeps the TCP contract with descriptors that it is given. */
import t from 'tap';
import { tcpEngineContract } from '../../contract/tcp_engine.js';
import { makerOf } from './harness.js';

const module = new URL('./harness.js?descriptor', import.meta.url);
tcpEngineContract(t, makerOf({ sockets: 'descriptor', time: 'fake' }), module);
