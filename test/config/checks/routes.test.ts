/** What a listener's protocol and the settings of its pool ask of each other. */
import t from 'tap';
import { problemsOf } from '../../support/config_problems.js';

const UDP = '[listeners.u]\nprotocol = "udp"\nbind = "127.0.0.1:0"\npool = "p"\n';
const TCP = '[listeners.t]\nbind = "127.0.0.1:0"\npool = "p"\n';
const BACKEND = '[[pools.p.backends]]\naddress = "10.0.0.1:53"\nmax_connections = 5\n';

t.test('a pool for UDP has neither UNIX sockets nor PROXY v1', async (t) => {
  const pool = '[pools.p]\nsend_proxy_protocol = "v1"\n[[pools.p.backends]]\naddress = "unix:/x"';
  t.strictSame(problemsOf(`${pool}\n${TCP}`), []);
  t.strictSame(problemsOf(`${pool}\n${UDP}${TCP}`), [
    '2:1: pools.p.send_proxy_protocol: v1 has no form for datagrams, and listener u is for UDP (expected "v2" or "off"; got "v1")',
    '4:1: pools.p.backends[0].address: a UNIX socket takes no datagrams, and listener u is for UDP (expected "host:port"; got "unix:/x")',
  ]);
});

t.test('a queue is for TCP', async (t) => {
  const pool = `[pools.p]\nqueue_size = 5\n${BACKEND}`;
  t.strictSame(problemsOf(`${pool}${TCP}`), []);
  t.strictSame(problemsOf(`${pool}${TCP}${UDP}`), [], 'a pool may serve both');
  t.strictSame(problemsOf(`${pool}${UDP}`), [
    '2:1: pools.p.queue_size: datagrams do not queue, and all listeners of this pool are for UDP (expected 0; got 5)',
  ]);
});

t.test('a number of replies is for UDP', async (t) => {
  const pool = `[pools.p]\nudp_responses = 1\n${BACKEND}`;
  t.strictSame(problemsOf(`${pool}${UDP}`), []);
  t.strictSame(problemsOf(`${pool}${TCP}${UDP}`), []);
  t.strictSame(problemsOf(pool), [], 'nothing uses the pool');
  t.strictSame(problemsOf(`${pool}${TCP}`), [
    '2:1: pools.p.udp_responses: only flows count replies, and all listeners of this pool are for TCP (expected 0; got 1)',
  ]);
});
