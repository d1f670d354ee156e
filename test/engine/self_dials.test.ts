/** When a new connection is asked whether it is one to itself, and what the answer means. */
import t from 'tap';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import type { PortRange } from '../../src/core/port_range.js';
import { SelfDials } from '../../src/engine/self_dials.js';

const RANGE: PortRange = { first: 32_768, last: 60_999 };
const backend = (port: number): Endpoint => ipEndpoint(4, '192.0.2.7', port);
const yes = (): boolean => true;
const no = (): boolean => false;

t.test('a port that no connection has as its source is never asked about', async (t) => {
  const dials = new SelfDials(() => RANGE);
  for (const port of [5_432, RANGE.first - 1, RANGE.last + 1]) {
    t.equal(dials.suspect(backend(port), 0), null, `port ${port}`);
  }
  for (const port of [RANGE.first, RANGE.last]) t.ok(dials.suspect(backend(port), 0));
  t.equal(dials.suspect({ kind: 'unix', path: '/run/backend' }, 0), null);
});

t.test('where the range is unknown every port is asked about', async (t) => {
  t.ok(new SelfDials(() => null).suspect(backend(5_432), 0));
});

t.test('a range that was widened holds soon, and one that cannot be read stays', async (t) => {
  let range: PortRange | null = RANGE;
  const dials = new SelfDials(() => range);
  t.equal(dials.suspect(backend(20_000), 0), null);
  range = { first: 10_240, last: 65_535 };
  t.equal(dials.suspect(backend(20_000), 9_999), null);
  t.ok(dials.suspect(backend(20_000), 10_000));
  range = null;
  t.ok(dials.suspect(backend(20_000), 20_000));
  t.equal(dials.suspect(backend(5_432), 20_000), null);
});

t.test('a backend elsewhere is asked about every two seconds', async (t) => {
  const dials = new SelfDials(() => RANGE);
  const target = backend(40_000);
  const first = dials.suspect(target, 0);
  t.ok(first && !dials.isOne(first, 40_000, no, 0), 'its own host is another one');
  t.equal(dials.suspect(target, 1_999), null);
  t.equal(dials.suspect(target, 2_000), first);
  t.ok(dials.suspect(backend(40_000), 1), 'another endpoint has not been asked about');
});

t.test('a backend here is asked about at each dial, by its port alone', async (t) => {
  const dials = new SelfDials(() => RANGE);
  const target = backend(40_000);
  const first = dials.suspect(target, 0);
  t.ok(first && !dials.isOne(first, 50_000, yes, 0), 'another port');
  const next = dials.suspect(target, 0);
  const unasked = (): never => t.fail('the host is known') as never;
  t.ok(next && !dials.isOne(next, 50_000, unasked, 0));
  t.ok(next && dials.isOne(next, 40_000, yes, 0), 'it is to itself');
  t.ok(next && !dials.isOne(next, 40_000, no, 0), 'its source is another address');
  t.equal(dials.suspect(target, 1), next, 'it stays here');
});
