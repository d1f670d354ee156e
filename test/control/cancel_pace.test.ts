/** 20 cancels per second of each client at each listener. */
import t from 'tap';
import { CancelPace } from '../../src/control/cancel_pace.js';
import type { ListenerId } from '../../src/core/brand.js';
import { keyOfHost } from '../support/client_key.js';
import { FakeTime } from '../support/fake_time.js';

const HERE = 1 as ListenerId;
const ELSEWHERE = 2 as ListenerId;

/** How many of `count` cancels, each from the next of `hosts`, are not too fast. */
function taken(pace: CancelPace, count: number, hosts: readonly string[], at = HERE): number {
  const all = Array.from({ length: count }, (_, n) => hosts[n % hosts.length] ?? '');
  return all.filter((host) => !pace.isTooFast(at, keyOfHost(host))).length;
}

t.test('a client may send a few at once, and then one at a time', async (t) => {
  const time = new FakeTime();
  const pace = new CancelPace(time);
  t.equal(taken(pace, 100, ['10.9.9.9']), 20);
  t.equal(taken(pace, 100, ['10.9.9.9'], ELSEWHERE), 20);
  await time.pass(50);
  t.equal(taken(pace, 100, ['10.9.9.9']), 1);
  await time.pass(1_000);
  t.equal(taken(pace, 100, ['10.9.9.9']), 20);
});

t.test('it is one client, however its address is written, and in all of its network', async (t) => {
  const pace = new CancelPace(new FakeTime());
  t.equal(taken(pace, 100, ['10.9.9.9', '::ffff:10.9.9.9']), 20);
  const network = Array.from({ length: 100 }, (_, n) => `2001:db8:1:2::${n.toString(16)}`);
  t.equal(taken(pace, 100, network), 20);
  t.equal(taken(pace, 100, ['2001:db8:1:3::1']), 20);
  t.equal(taken(pace, 100, ['']), 20, 'those without an address are one client');
});

t.test('among very many clients those that are remembered are still too fast', async (t) => {
  const time = new FakeTime();
  const pace = new CancelPace(time);
  for (let n = 0; n < 10_000; n++) {
    pace.isTooFast(HERE, keyOfHost(`10.1.${n >> 8}.${n & 255}`));
  }
  t.equal(taken(pace, 100, ['10.1.0.7']), 19);
  t.equal(taken(pace, 100, ['10.9.9.9']), 100, 'one that is not is let pass');
  await time.pass(1_000);
  t.equal(taken(pace, 100, ['10.9.9.9']), 20);
});
