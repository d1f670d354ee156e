/**
 * Whatever fails while a change is prepared, and whenever: nothing of it is done, the refusal says
 * why and what helps, and the same change is made when the fault is gone. The steps are not listed:
 * the change is made again and again, and another step of it fails each time.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { withRemedy } from '../../src/control/start_remedy.js';
import { formatAddress, ipEndpoint } from '../../src/core/endpoint.js';
import type { Spec } from '../../src/core/spec.js';
import { ERRNO } from '../../src/kernel/errno.js';
import { tempFolder } from '../support/places.js';
import {
  type DaemonBench,
  daemonBench,
  type Fault,
  openDescriptors,
  type Seam,
} from './daemon_bench.js';
import { backendSpec, listenerSpec, poolSpec, spec } from './fixtures.js';

/** What a call may answer on a machine that refuses it, by its man page and seccomp(2). */
const REFUSALS: Readonly<Record<string, readonly (keyof typeof ERRNO)[]>> = {
  socket: ['EMFILE', 'ENFILE', 'ENOBUFS', 'EAFNOSUPPORT', 'EPERM'],
  setsockopt: ['ENOMEM', 'EPERM'],
  bind: ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOENT', 'EROFS', 'EPERM'],
  listen: ['EADDRINUSE', 'EPERM'],
  getsockname: ['ENOBUFS', 'EPERM'],
  fcntl: ['EMFILE', 'EPERM'],
};
/** As it is when no wall may catch it any more. */
const BROKEN = { name: 'InvariantError', message: 'broken for tests' };
/** More than any change has steps. */
const MOST_STEPS = 400;
/** After this long, backends and listeners that left have given back their rows. */
const LEFT_MS = 5_000;

interface Change {
  readonly name: string;
  readonly before: Spec;
  readonly after: Spec;
}

/** Opens sockets of each kind, closes others, replaces a pool; a name leads to one backend. */
function wide(t: Test): Change {
  const folder = tempFolder(t);
  const kept = listenerSpec('kept', 'old');
  const unix = (name: string) => ({ kind: 'unix', path: join(folder, name) }) as const;
  const named = backendSpec('n', { address: { kind: 'name', host: 'pg.example', port: 1 } });
  return {
    name: 'a file that changes everything but one listener',
    before: spec([poolSpec('old')], [kept, listenerSpec('gone', 'old', { bind: [unix('gone')] })]),
    after: spec(
      [poolSpec('old', { backends: [backendSpec('b1'), named] }), poolSpec('new')],
      [
        kept,
        listenerSpec('both', 'new', {
          bind: [ipEndpoint(4, '0.0.0.0', 0), ipEndpoint(6, '::', 0)],
        }),
        listenerSpec('flows', 'new', { protocol: 'udp' }),
        listenerSpec('path', 'new', { bind: [unix('new')] }),
      ],
    ),
  };
}

/** As many new backends as need the rows of those that leave. */
function full(): Change {
  const crowd = (net: number) => {
    const backends = Array.from({ length: 1_200 }, (_, index) =>
      backendSpec(`b${index}`, {
        address: ipEndpoint(4, `10.${net}.${index >> 8}.${index & 255}`, 9),
      }),
    );
    return poolSpec('crowd', { backends });
  };
  return {
    name: 'a file whose backends need the rows of those that leave',
    before: spec([crowd(1)], [listenerSpec('kept', 'crowd')]),
    after: spec([crowd(2)], [listenerSpec('kept', 'crowd'), listenerSpec('more', 'crowd')]),
  };
}

const NAMES = async (name: string) => (name === 'pg.example' ? ['10.9.9.9'] : []);

t.test('each foreign call of a change is refused in turn, with each errno', async (t) => {
  const change = wide(t);
  const bench = await started(t, change.before);
  let refused = 0;
  for (let step = 0; step < MOST_STEPS; step++) {
    const call = await callAt(bench, change, step);
    if (call === null) break;
    for (const errno of REFUSALS[call] ?? ['EPERM']) {
      const before = snapshot(bench);
      const fault = failAt(step, 'kernel', () => -ERRNO[errno]);
      await refusedBy(t, bench, change.after, fault, { name: `${call} ${errno}`, errno });
      t.same(snapshot(bench), before, `${call} ${errno}, step ${step}: nothing has changed`);
      refused++;
    }
  }
  t.ok(refused > 100, `${refused} refusals`);
  await thereAndBack(t, bench, change);
});

t.test('what is thrown at any foreign call is a refusal too', async (t) => {
  for (const change of [wide(t), full()]) {
    const bench = await started(t, change.before);
    for (let step = 0; step < MOST_STEPS; step++) {
      if ((await callAt(bench, change, step)) === null) break;
      const before = snapshot(bench);
      await refusedBy(t, bench, change.after, failAt(step, 'kernel', thrown), {
        name: change.name,
        errno: 'broken for tests',
      });
      t.same(snapshot(bench), before, `${change.name}, step ${step}`);
    }
    await thereAndBack(t, bench, change);
  }
});

t.test('a change that breaks once it has begun to act is no refusal: it ends it all', async (t) => {
  for (const seam of ['message', 'probe', 'event'] as const) {
    const change = wide(t);
    const bench = await started(t, change.before);
    bench.fault = failAt(0, seam, thrown);
    await t.rejects(bench.daemon.reload(change.after), BROKEN, seam);
    bench.fault = () => undefined;
  }
});

t.test('a start that is refused at any foreign call leaves nothing open', async (t) => {
  const { after } = wide(t);
  for (let step = 0; step < MOST_STEPS; step++) {
    const descriptors = openDescriptors();
    const bench = daemonBench(after, NAMES);
    bench.fault = failAt(step, 'kernel', () => -ERRNO.EPERM);
    const outcome = await bench.daemon.start();
    if (outcome.ok) {
      await stopped(bench);
      t.ok(step > 20, `${step} steps`);
      return;
    }
    t.match(outcome.error.join(), /EPERM/);
    t.equal(openDescriptors(), descriptors, `step ${step}`);
  }
});

async function started(t: Test, before: Spec): Promise<DaemonBench> {
  const bench = daemonBench(before, NAMES);
  t.same(await bench.daemon.start(), { ok: true, value: null });
  t.teardown(() => stopped(bench));
  return bench;
}

async function stopped(bench: DaemonBench): Promise<void> {
  const end = bench.daemon.stop();
  await bench.time.pass(LEFT_MS);
  await end;
}

/** Fails the step with this number of those at `seam`, and no other one. */
function failAt(step: number, seam: Seam, how: () => number): Fault {
  let count = 0;
  return (at) => (at === seam && count++ === step ? how() : undefined);
}

function thrown(): never {
  throw new Error('broken for tests');
}

/** The name of the call that the change makes at `step`; null: it has made all. Undone after. */
async function callAt(bench: DaemonBench, change: Change, step: number): Promise<string | null> {
  const calls: string[] = [];
  bench.fault = (seam, name) => {
    if (seam === 'kernel') calls.push(name);
    return undefined;
  };
  // The calls are the same each time: once is enough.
  const known = callsOf.get(change);
  if (known !== undefined) return known[step] ?? null;
  for (const file of [change.after, change.before]) {
    const outcome = await bench.daemon.reload(file);
    if (!outcome.ok) throw new Error(outcome.error.join('; '));
    if (file === change.after) callsOf.set(change, [...calls]);
    await bench.time.pass(LEFT_MS);
  }
  return callAt(bench, change, step);
}
const callsOf = new WeakMap<Change, readonly string[]>();

async function refusedBy(
  t: Test,
  bench: DaemonBench,
  after: Spec,
  fault: Fault,
  { name, errno }: { readonly name: string; readonly errno: string },
): Promise<void> {
  bench.fault = fault;
  const outcome = await bench.daemon.reload(after);
  bench.fault = () => undefined;
  t.equal(outcome.ok, false, name);
  if (outcome.ok) return;
  const told = outcome.error.map(withRemedy).join(' ');
  t.match(told, errno, 'it says why');
  if (errno in ERRNO) t.match(told, /; .{12}/, `it says what helps: ${told}`);
}

async function thereAndBack(t: Test, bench: DaemonBench, change: Change): Promise<void> {
  const before = snapshot(bench);
  for (const file of [change.after, change.before]) {
    t.same(
      await bench.daemon.reload(file),
      { ok: true, value: null },
      'without a fault it is made',
    );
    await bench.time.pass(LEFT_MS);
  }
  t.same(comparable(snapshot(bench)), comparable(before), 'nothing is left over');
}

/** Rows and sockets that came back have other numbers. */
function comparable(state: ReturnType<typeof snapshot>) {
  const plans = state.plans.map((plan) =>
    plan.replace(/"(key|fd|socket|id|series|pool)":\d+/g, ''),
  );
  return { ...state, ids: null, plans };
}

/** Everything that a change changes, but for the versions of plans. */
function snapshot({ daemon, fleet, shared }: DaemonBench) {
  const { inventory, sockets } = daemon;
  const listeners = [...inventory.listeners.values()];
  return {
    spec: JSON.stringify(daemon.spec),
    phase: daemon.phase,
    listeners: listeners.map(({ key, tenure, spec }) => [key, tenure, spec.pool]),
    backends: [...inventory.backends()].map(({ key, tenure }) => [key, tenure]),
    yielding: inventory.yielding.size,
    ids: [...inventory.backends()].map(({ id }) => id),
    sockets: listeners.flatMap(({ key }) => sockets.locals(key).map(formatAddress)),
    paths: listeners.flatMap(({ spec }) =>
      spec.bind.map((bind) => bind.kind === 'unix' && existsSync(bind.path)),
    ),
    plans: fleet.plans.map((plan) => JSON.stringify({ ...plan, version: 0 })),
    shared: shared.ledger.descriptors.allowed,
    descriptors: openDescriptors(),
  };
}
