/** Members that are the listener which leads to them. */
import t from 'tap';
import { readAddress, readEndpoint } from '../../src/core/address_text.js';
import type { Endpoint } from '../../src/core/endpoint.js';
import { circlesIn, listenersTo } from '../../src/discovery/own_listeners.js';
import { listenerSpec, poolSpec, spec } from '../control/fixtures.js';
import { member } from './members.js';

function at(text: string): Endpoint {
  const read = readEndpoint(text);
  if (!read.ok) throw new Error(read.error.problem);
  return read.value;
}

const ROUTE = {
  conditions: {
    serverNames: [],
    alpn: [],
    clients: [],
    databases: [],
    users: [],
    applications: [],
  },
  pool: 'p',
};

/** This machine has 10.0.0.5 and fd00::5, beside the loopback's. */
const isOwn = ({ host }: { readonly host: string }): boolean =>
  host.startsWith('127.') || ['::1', '10.0.0.5', 'fd00::5'].includes(host);

function circles(bind: string, ...addresses: readonly string[]): readonly string[] {
  const listeners = [listenerSpec('l', 'p', { bind: [at(bind)] })];
  const members = addresses.map((text) => {
    const read = readAddress(text);
    if (!read.ok) throw new Error(read.error.problem);
    return member('a', { address: read.value });
  });
  return circlesIn(members, listeners, isOwn).map(({ problem }) => problem);
}

t.test('a listener at all addresses is met at each of this machine, in its family', async (t) => {
  const mine = ['0.0.0.0:5', '127.0.0.9:5', '10.0.0.5:5'];
  t.same(
    circles('0.0.0.0:5', ...mine, '10.0.0.6:5', '10.0.0.5:6', '[fd00::5]:5', 'db.test:5'),
    mine.map((address) => `${address} is listener l itself`),
  );
  t.equal(circles('[::]:5', '[::]:5', '[::1]:5', '[fd00::5]:5', '[fd00::6]:5').length, 3);
  t.same(circles('[::]:5', '10.0.0.5:5', '127.0.0.1:5'), []);
});

t.test('a listener at one address is met there, and from no address at the loopback', async (t) => {
  t.equal(circles('10.0.0.5:5', '10.0.0.5:5', '127.0.0.1:5', '0.0.0.0:5').length, 1);
  t.equal(circles('127.0.0.1:5', '127.0.0.1:5', '127.0.0.2:5', '0.0.0.0:5').length, 2);
  t.equal(circles('[::1]:5', '[::1]:5', '[::]:5').length, 2);
  t.equal(circles('unix:/run/l', 'unix:/run/l', 'unix:/run/k', '127.0.0.1:5').length, 1);
});

t.test('the loopback has a name, and a path several', async (t) => {
  const names = ['localhost:5', 'LOCALHOST.:5', 'db.localhost:5'];
  for (const bind of ['0.0.0.0:5', '[::]:5', '127.0.0.1:5', '[::1]:5']) {
    t.equal(circles(bind, ...names, 'localhost:6', 'mylocalhost:5').length, names.length, bind);
  }
  t.same(circles('10.0.0.5:5', ...names), []);
  t.equal(circles('unix:/run/l', 'unix:/run/../run//l', 'unix:/run/l/../k').length, 1);
});

t.test('listeners lead to a pool by themselves and by routes', async (t) => {
  const pools = ['p', 'q', 'r'].map((name) => poolSpec(name));
  const plain = listenerSpec('plain', 'p');
  const routed = listenerSpec('routed', 'q', { routes: [ROUTE] });
  const names = (pool: string): readonly string[] =>
    listenersTo(pool, spec(pools, [plain, routed])).map(({ name }) => name);
  t.same([names('p'), names('q'), names('r')], [['plain', 'routed'], ['routed'], []]);
});
