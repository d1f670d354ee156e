/** What one listener must have, and what does not go together in it. */
import t from 'tap';
import { problemsOf } from '../../support/config_problems.js';

const listener = (keys: string): string => `[pools.p]\n[listeners.a]\n${keys}`;
const GOOD = 'pool = "p"\nbind = "127.0.0.1:0"\n';

t.test('a listener needs an address and a pool', async (t) => {
  t.strictSame(problemsOf(listener('')), [
    '2:12: listeners.a.bind: missing (expected where to listen, as "0.0.0.0:5432"; got nothing)',
    '2:12: listeners.a.pool: missing (expected the name of a pool, or "" to refuse; got nothing)',
  ]);
  t.strictSame(problemsOf(listener(GOOD)), []);
});

t.test('the pool must be there, and the nearest name is suggested', async (t) => {
  const text = '[listeners.a]\nbind = "127.0.0.1:0"\npool = "postgers"\n';
  t.strictSame(problemsOf(`${text}[pools.postgres]\n[pools.redis]`), [
    '3:1: listeners.a.pool: no such pool (expected "postgres"; got "postgers")',
  ]);
  t.strictSame(problemsOf(`${text}[pools.a]\n[pools.b]`), [
    '3:1: listeners.a.pool: no such pool (expected one of a, b; got "postgers")',
  ]);
  t.strictSame(problemsOf(text), [
    '3:1: listeners.a.pool: no such pool (expected a table [pools.NAME] for it; got "postgers")',
  ]);
});

t.test('a broken pool is still a pool', async (t) => {
  const text = '[listeners.a]\nbind = "127.0.0.1:0"\npool = "p"\n[pools]\np = 5';
  t.strictSame(problemsOf(text), ['5:1: pools.p: wrong type (expected a table; got a number)']);
});

t.test('a PROXY header is believed from trusted peers only', async (t) => {
  t.strictSame(problemsOf(listener(`${GOOD}accept_proxy_protocol = true`)), [
    '2:12: listeners.a.trusted_proxies: accept_proxy_protocol is true, and no proxy is trusted (expected the addresses of the proxies, which alone may send a header; got nothing)',
  ]);
  t.strictSame(problemsOf(listener(`${GOOD}accept_proxy_protocol = true\ntrusted_proxies = []`)), [
    '6:1: listeners.a.trusted_proxies: accept_proxy_protocol is true, and no proxy is trusted (expected the addresses of the proxies, which alone may send a header; got an empty list)',
  ]);
  t.strictSame(problemsOf(listener(`${GOOD}trusted_proxies = ["10.0.0.0/8"]`)), [
    '5:1: listeners.a.trusted_proxies: no meaning without accept_proxy_protocol (expected accept_proxy_protocol = true, or no list; got a list)',
  ]);
  const both = 'accept_proxy_protocol = true\ntrusted_proxies = ["10.0.0.0/8"]';
  t.strictSame(problemsOf(listener(`${GOOD}${both}`)), []);
});

t.test('a client that can open a UNIX socket is trusted there', async (t) => {
  const unix = 'pool = "p"\nbind = "unix:/x"\naccept_proxy_protocol = true';
  t.strictSame(problemsOf(listener(unix)), []);
});

t.test('a flag that is broken itself leads to no further problem', async (t) => {
  const text = listener(`${GOOD}accept_proxy_protocol = "yes"\ntrusted_proxies = ["10.0.0.1"]`);
  t.strictSame(problemsOf(text), [
    '5:1: listeners.a.accept_proxy_protocol: wrong type (expected true or false; got "yes")',
  ]);
});

t.test('what only TCP has is refused for UDP', async (t) => {
  const udp = 'protocol = "udp"\npool = "p"\n';
  t.strictSame(problemsOf(listener(`${udp}bind = "unix:/x"\nbacklog = 5`)), [
    '5:1: listeners.a.bind: UDP is not served on UNIX sockets (expected an IP address, or protocol = "tcp"; got "unix:/x")',
    '6:1: listeners.a.backlog: no meaning for UDP (expected no such key; got 5)',
  ]);
  t.strictSame(problemsOf(listener(`${udp}bind = ["127.0.0.1:0", "unix:/x"]`)), [
    '5:24: listeners.a.bind[1]: UDP is not served on UNIX sockets (expected an IP address, or protocol = "tcp"; got "unix:/x")',
  ]);
  t.strictSame(problemsOf(listener(`${udp}bind = "127.0.0.1:0"`)), []);
});

const route = (lines: string): string => listener(`${GOOD}[[listeners.a.routes]]\n${lines}`);

t.test('a route names a pool that is there, or none', async (t) => {
  t.strictSame(problemsOf(route('pool = "p"\nclient = "10.0.0.0/8"')), []);
  t.strictSame(problemsOf(route('pool = ""')), []);
  t.match(problemsOf(route('pool = "q"')), [/routes\[0\]\.pool: no such pool \(expected "p"/]);
  t.match(problemsOf(route('alpn = "h2"')), [/routes\[0\]\.pool: missing/]);
});

t.test('only a Postgres listener reads a start, and only TCP has routes', async (t) => {
  const start = 'pool = "p"\ndatabase = "x"';
  t.match(problemsOf(route(start)), [/routes\[0\]\.database: what a Postgres client starts with/]);
  t.strictSame(problemsOf(`${route(start)}\n[listeners.a.postgres]`), []);
  const udp = 'pool = ""\nbind = "127.0.0.1:0"\nprotocol = "udp"\nroutes = [{ pool = "p" }]';
  t.match(problemsOf(listener(udp)), [
    /a\.pool: datagrams cannot/,
    /a\.routes: no meaning for UDP/,
  ]);
});

t.test('a server name is one in any script, and no address or pattern but "*."', async (t) => {
  for (const name of [
    'a',
    'a.example.',
    '*.EXAMPLE',
    'bücher.example',
    'xn--bcher-kva.example',
    '_x.y',
  ]) {
    t.strictSame(problemsOf(route(`pool = "p"\nserver_name = "${name}"`)), [], name);
  }
  for (const name of [
    '',
    '*',
    '*.',
    'a..b',
    '*.*.a',
    'a*',
    '10.0.0.1',
    '-a',
    'a/b',
    'a:1',
    '[::1]',
  ]) {
    const found = problemsOf(route(`pool = "p"\nserver_name = ["${name}"]`));
    t.match(found, [/routes\[0\]\.server_name/], name);
  }
});
