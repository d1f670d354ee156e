/** Names without an address: what serves goes on. Tables first, then random files in a row. */
import t from 'tap';
import type { Inventory } from '../../src/control/inventory.js';
import type { RowTarget } from '../../src/control/row_demand.js';
import { strandedBy } from '../../src/control/stand_ins.js';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import type { BackendSpec } from '../../src/core/spec.js';
import { seed } from '../support/seed.js';
import { inventory, listenerSpec, poolSpec, spec } from './fixtures.js';

/** `a=h1`: backend a at host h1; the name is the host where there is no `=`. */
function backend(text: string): BackendSpec {
  const [name = '', host = name] = text.split('=');
  const address = { kind: 'name', host, port: 5432 } as const;
  return { name, address, admin: 'ready', weight: 1, maxConnections: 0, backup: false };
}

/** Hosts that begin with `x` have no address. */
function resolve({ address }: BackendSpec): Endpoint | null {
  if (address.kind !== 'name' || address.host.startsWith('x')) return null;
  return ipEndpoint(4, `10.0.0.${address.host.charCodeAt(0)}`, address.port);
}

function target(file: string, how = resolve): RowTarget {
  const backends = file === '' ? [] : file.split(' ').map(backend);
  return { spec: spec([poolSpec('p', { backends })], [listenerSpec('l', 'p')]), resolve: how };
}

function apply(all: Inventory, { spec: wanted, resolve: how }: RowTarget): void {
  all.apply(wanted, how);
}

function serving(all: Inventory): string {
  const kept = [...all.backends()].filter(({ tenure }) => tenure === 'kept');
  return kept
    .map(({ spec: { name }, endpoint }) =>
      endpoint.kind === 'ip' ? `${name}@${endpoint.host.replace('10.0.0.', '')}` : name,
    )
    .sort()
    .join(' ');
}

const code = (host: string): number => host.charCodeAt(0);
const at = (...pairs: readonly string[]): string =>
  pairs.map((one) => one.replace(/=(.)/, (_, host: string) => `@${code(host)}`)).join(' ');

const TABLE: readonly (readonly [string, readonly string[], string])[] = [
  ['one with a name stays at its old address', ['n=a', 'n=x'], at('n=a')],
  ['one without a name of its own does too', ['a', 'x'], at('a=a')],
  ['the one at the same place stays', ['a b c', 'a x c'], at('a=a', 'b=b', 'c=c')],
  ['a backend that was replaced goes', ['a b', 'c x'], at('b=b', 'c=c')],
  ['one that has another address now goes', ['n=a', 'n=b m=x'], at('n=b')],
  ['a new one without an address keeps no backend', ['a', 'a x'], at('a=a')],
  ['it stays over further reloads', ['a b', 'x b', 'x b', 'x c'], at('a=a', 'c=c')],
  ['and goes when its name is given up', ['a b', 'x b', 'b'], at('b=b')],
  ['or comes back as if it had never left', ['n=a', 'n=x', 'n=a'], at('n=a')],
  ['or leads to an address at last', ['n=a', 'n=x', 'n=b'], at('n=b')],
  ['names of two go to two', ['a b', 'x xx'], at('a=a', 'b=b')],
  ['and one of them resolves', ['a b', 'x xx', 'c xx'], at('b=b', 'c=c')],
  ['an empty pool is wanted', ['a', ''], ''],
];

t.test('a name without an address takes away no backend that serves', async (t) => {
  for (const [what, files, expected] of TABLE) {
    const all = inventory();
    for (const file of files) apply(all, target(file));
    t.equal(serving(all), expected, what);
  }
});

t.test('with the name its newest settings count', async (t) => {
  const all = inventory();
  apply(all, target('n=a'));
  const file = target('n=x');
  const [pool] = file.spec.pools;
  const heavier = { ...backend('n=x'), weight: 7 };
  apply(all, {
    ...file,
    spec: { ...file.spec, pools: [{ ...poolSpec('p'), ...pool, backends: [heavier] }] },
  });
  t.match([...all.backends()], [{ spec: { weight: 7, address: { host: 'a' } } }]);
});

t.test(`random files never serve with fewer for want of an address (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const all = inventory();
    let known = '';
    for (let step = 0; step < 8; step++) {
      const before = [...all.backends()].filter(({ tenure }) => tenure === 'kept').length;
      const file = below(random, 3) === 0 ? known : randomFile(random);
      known = file;
      // Some names come and go over time.
      const gone = new Set([...'abcdefgh'].filter(() => below(random, 4) === 0));
      const now = target(file, (one) =>
        one.address.kind === 'name' && gone.has(one.address.host) ? null : resolve(one),
      );
      const size = now.spec.pools[0]?.backends.length ?? 0;
      t.same(all.shortages(now), []);
      apply(all, now);
      const kept = [...all.backends()].filter(({ tenure }) => tenure === 'kept');
      const floor = Math.min(before, size);
      if (kept.length < floor || kept.length > size) {
        t.fail(`${kept.length} of ${size} serve after ${before}: ${file}`);
      }
      const keys = new Set(kept.map(({ key }) => key));
      const missing = now.spec.pools.flatMap(({ backends }) =>
        backends.filter((one) => {
          const endpoint = now.resolve(one);
          return (
            endpoint !== null &&
            endpoint.kind === 'ip' &&
            !keys.has(`${one.name}@${endpoint.host}:5432`)
          );
        }),
      );
      t.same(missing, [], 'a backend that has an address serves at it');
    }
  }
});

t.test('a listener that serves is not led to where no name has an address', async (t) => {
  const all = inventory();
  apply(all, target('a'));
  const elsewhere = (file: string): RowTarget => ({
    spec: spec(
      [poolSpec('q', { backends: file.split(' ').map(backend) })],
      [listenerSpec('l', 'q')],
    ),
    resolve,
  });
  const stranded = (next: RowTarget, serves = true): readonly string[] =>
    strandedBy(next, all.unresolved(next), () => serves);
  t.match(stranded(elsewhere('x')), [/listener l would lead to pool q, .* no name .* \(x\)/]);
  t.same(stranded(elsewhere('x b')), [], 'one that has an address is enough');
  t.same(stranded(elsewhere('x'), false), [], 'a pool without backends loses none');
  t.same(stranded(target('x')), [], 'in its own pool a backend stands in');
});

function randomFile(random: Random): string {
  const names = [...'mnopq'].filter(() => below(random, 2) === 0);
  const hosts = [...'abcdefgh'].sort(() => below(random, 3) - 1);
  return names
    .map((name, index) => {
      const host = below(random, 3) === 0 ? `x${index}` : (hosts[index] ?? 'a');
      return below(random, 2) === 0 ? `${name}=${host}` : host;
    })
    .join(' ');
}
