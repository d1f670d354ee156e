/** A daemon that takes the place of another one: what is done before that one has left. */
import t from 'tap';
import { err, ok, type Result } from '../../src/core/result.js';
import { type DaemonBench, daemonBench, openDescriptors } from './daemon_bench.js';
import { backendSpec, listenerSpec, poolSpec, spec } from './fixtures.js';

const SPEC = spec(
  [
    poolSpec('a', { backends: [backendSpec('a1'), backendSpec('a2')] }),
    poolSpec('b', { backends: [backendSpec('b3')] }),
  ],
  [listenerSpec('web', 'a'), listenerSpec('db', 'b')],
);

/** Of each worker: its backends, its listeners, and at how many sockets it accepts. */
function plansOf({ fleet }: DaemonBench) {
  return fleet.plans.map((plan) => ({
    backends: plan?.pools.flatMap(({ backends }) => backends.map(({ name }) => name)).sort(),
    listeners: plan?.listeners.map(({ name }) => name).sort(),
    sockets: plan?.listeners.flatMap(({ sockets }) => sockets).length,
  }));
}

function benchThat(
  takesOver: (bench: DaemonBench) => Result<null, readonly string[]>,
): DaemonBench {
  const bench: DaemonBench = daemonBench(SPEC, undefined, {
    takesOver: async () => takesOver(bench),
  });
  return bench;
}

t.test('workers know all but the sockets before the other process leaves them', async (t) => {
  const asked: unknown[] = [];
  const bench = benchThat((bench) => {
    asked.push(
      ...plansOf(bench),
      bench.events.map(({ event }) => event),
    );
    return ok(null);
  });
  t.same(await bench.daemon.start(), ok(null));
  const known = { backends: ['a1', 'a2', 'b3'], listeners: ['db', 'web'] };
  t.match(asked, [{ ...known, sockets: 0 }, { ...known, sockets: 0 }, []]);
  t.match(plansOf(bench), [
    { ...known, sockets: 2 },
    { ...known, sockets: 2 },
  ]);
  t.same(bench.events.filter(({ event }) => event === 'backend-added').length, 3, 'each once');
  t.equal((await bench.daemon.reload(SPEC)).ok, true, 'no process is asked again');
  t.equal(asked.length, 3);
  const end = bench.daemon.stop();
  await bench.time.pass(2_000);
  await end;
});

t.test('one that is not let in has accepted no client, and leaves nothing open', async (t) => {
  const descriptors = openDescriptors();
  const bench = benchThat(() => err(['gone']));
  t.same(await bench.daemon.start(), err(['gone']));
  t.same(
    plansOf(bench).map(({ sockets }) => sockets),
    [0, 0],
  );
  t.equal(openDescriptors(), descriptors);
});
