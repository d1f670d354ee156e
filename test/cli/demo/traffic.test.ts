/** The world around the demo's balancer, without the balancer. */
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import type { DemoTarget } from '../../../src/cli/demo/exchange.js';
import { answered } from '../../../src/cli/demo/tally.js';
import { type DemoAddress, Traffic } from '../../../src/cli/demo/traffic.js';
import { present } from '../../../src/core/assert.js';
import { seededRandom } from '../../../src/core/random.js';
import { eventually } from '../../support/deadline.js';
import { FakeTime } from '../../support/fake_time.js';

interface World {
  readonly traffic: Traffic;
  readonly time: FakeTime;
  readonly target: (name: string) => DemoTarget;
  /** Lets time pass, with what sockets do meanwhile, until `holds`. */
  readonly until: (what: string, holds: () => boolean | Promise<boolean>) => Promise<unknown>;
}

async function world(t: Test): Promise<World> {
  const time = new FakeTime();
  const traffic = new Traffic({ clock: time, timers: time, random: seededRandom(1) });
  const addresses = await traffic.open();
  const until: World['until'] = (what, holds) =>
    eventually(what, async () => {
      await time.pass(50);
      return (await holds()) || undefined;
    });
  t.teardown(async () => {
    let state = 'finishing';
    const finished = traffic.finish().then(() => (state = 'finished'));
    await until('the end of the traffic', () => state === 'finished');
    await finished;
  });
  return { traffic, time, target: (name) => targetOf(addresses, name), until };
}

function targetOf(addresses: readonly DemoAddress[], name: string): DemoTarget {
  const { address } = present(
    addresses.find((one) => one.name === name),
    'there is such a server',
  );
  return { host: '127.0.0.1', port: Number(address.split(':')[1]) };
}

function accepts(target: DemoTarget): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

t.test('clients ask again and again, and count which backend answered', async (t) => {
  const { traffic, target, until } = await world(t);
  traffic.begin(target('fast'));
  await until('100 answers', () => answered(traffic.tally()) >= 100);
  const { backends, failed } = traffic.tally();
  t.equal(failed, 0);
  t.same(
    backends.filter((backend) => backend.answered > 0).map(({ name }) => name),
    ['fast'],
  );
});

t.test('one server dies without cutting anything, and comes back at its port', async (t) => {
  const { traffic, target, until } = await world(t);
  const mortal = target('medium');
  traffic.begin(target('slow'));
  t.ok(await accepts(mortal));
  await until('a death', () => traffic.tally().deaths === 1);
  await until('refusal', async () => !(await accepts(mortal)));
  t.ok(await accepts(target('fast')), 'the others live');
  await until('a return', () => accepts(mortal));
  t.equal(traffic.tally().failed, 0);
});

t.test('a failed exchange is counted with its reason', async (t) => {
  const { traffic, target, until } = await world(t);
  traffic.begin(target('medium'));
  await until('a failure', () => traffic.tally().failed > 0);
  t.match(traffic.tally().lastFailure, 'ECONNREFUSED');
});
