/**
 * Reloads, stops, new addresses, a name server that says nothing, lost workers and sessions, in
 * orders and at moments that are drawn from a seed: each change is answered, one at a time, and a
 * stop outranks all.
 */
import t, { type Test } from 'tap';
import type { Refusal } from '../../src/control/change_queue.js';
import type { ListenerId, WorkerId } from '../../src/core/brand.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import type { Result } from '../../src/core/result.js';
import type { Spec } from '../../src/core/spec.js';
import { seed as firstSeed } from '../support/seed.js';
import { type DaemonBench, daemonBench, openDescriptors, WORKERS } from './daemon_bench.js';
import { backendSpec, listenerSpec, poolSpec, spec } from './fixtures.js';

const PROGRAMS = 100;
const STEPS = 30;
/** shutdown_timeout of the fixtures, what closing the last sessions may take, and a few looks. */
const END_MS = 1_000 + 2_000 + 100;
/** Of a name server that says nothing, of a replacement that is late, and of a round of lookups. */
const PATIENCE_MS = 30_000;
const SILENCE_MS = 5_000;
/** The next one in its place, at once or where threads are scarce. */
const REPLACED_MS = [250, 250, 6_000] as const;
/** Turns of the event loop, within which everything that waits for nothing is done. */
const SOON = 20;

const SERVERS = ['answers', 'says nothing', 'knows nothing'] as const;

interface Asked {
  readonly file: Spec;
  readonly when: 'before the stop' | 'after the stop began';
  outcome: Result<null, Refusal> | 'none';
}

class Program {
  readonly #random: Random;
  readonly #bench: DaemonBench;
  readonly #asked: Asked[] = [];
  #held: { readonly listener: ListenerId; readonly worker: WorkerId }[] = [];
  readonly #start: Promise<Result<null, Refusal>>;
  #last: Spec;
  #net = 1;
  #server: (typeof SERVERS)[number] = 'answers';
  #tookMs = Number.POSITIVE_INFINITY;
  /** Plans that had been sent when the stop began. */
  #sentBefore = 0;
  #end: 'not asked' | 'asked' | 'over' = 'not asked';

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#last = this.#file();
    this.#bench = daemonBench(this.#last, async () => {
      if (this.#server === 'says nothing') await this.#silence();
      return this.#server === 'answers' ? [`10.7.0.${this.#net}`] : [];
    });
    this.#start = this.#bench.daemon.start();
  }

  async run(t: Test): Promise<void> {
    if (below(this.#random, 4) > 0) await this.#turns(4);
    for (let step = 0; step < STEPS; step++) await this.#act();
    this.#server = 'answers';
    await this.#bench.time.pass(PATIENCE_MS);
    await turns(SOON);
    if (this.#end === 'not asked') await this.#serves(t);
    await this.#stop();
    await this.#bench.time.pass(END_MS);
    this.#over(t);
  }

  async #act(): Promise<void> {
    const { time } = this.#bench;
    switch (below(this.#random, 14)) {
      case 0:
      case 1:
      case 2:
        return this.#reload();
      case 3:
        this.#net = 1 + below(this.#random, 3);
        return;
      case 4:
        this.#server = pick(this.#random, SERVERS);
        return;
      case 5:
        return this.#workerIsLost();
      case 6:
        return this.#sessionBegins();
      case 7:
        return this.#sessionEnds();
      case 8:
      case 9:
        return time.pass(pick(this.#random, [0, 1, 40, 300, 3_100, 10_100]));
      case 10:
        return below(this.#random, 4) === 0 ? this.#stop() : undefined;
      default:
        return this.#turns(3);
    }
  }

  #reload(): void {
    const file = this.#file();
    const when = this.#end === 'not asked' ? 'before the stop' : 'after the stop began';
    const asked: Asked = { file, when, outcome: 'none' };
    this.#asked.push(asked);
    void this.#bench.daemon.reload(file).then((outcome) => {
      asked.outcome = outcome;
      if (outcome.ok) this.#last = file;
    });
  }

  /** getaddrinfo(3) gives up at last. */
  #silence(): Promise<void> {
    return new Promise((resolve) => this.#bench.time.after(SILENCE_MS, resolve));
  }

  /** As the process does it: announced at the signal, done when the start is over. */
  async #stop(): Promise<void> {
    if (this.#end !== 'not asked') return;
    this.#end = 'asked';
    const { daemon, fleet, time } = this.#bench;
    this.#sentBefore = fleet.listenersSent.length;
    daemon.announceStop();
    const askedMs = time.nowMs();
    void this.#start
      .then(() => daemon.stop())
      .then(() => {
        this.#end = 'over';
        this.#tookMs = time.nowMs() - askedMs;
      });
    // What is under way ends by itself; only then does time count.
    await turns(SOON);
  }

  #workerIsLost(): void {
    const lost = below(this.#random, WORKERS) as WorkerId;
    this.#bench.fleet.lose(lost, pick(this.#random, REPLACED_MS));
    // Its sessions went with it.
    this.#held = this.#held.filter(({ worker }) => worker !== lost);
  }

  #sessionBegins(): void {
    const { shared, fleet } = this.#bench;
    const worker = below(this.#random, WORKERS) as WorkerId;
    const [listener] = fleet.plans[worker]?.listeners ?? [];
    if (listener === undefined || fleet.isDead(worker)) return;
    if (!shared.ledger.tryTakeListener(listener.id, 100, worker)) return;
    this.#held.push({ listener: listener.id, worker });
  }

  #sessionEnds(): void {
    const session = this.#held.shift();
    if (session === undefined) return;
    this.#bench.shared.ledger.giveBackListener(session.listener, session.worker);
  }

  async #serves(t: Test): Promise<void> {
    const { daemon, fleet } = this.#bench;
    t.same(await this.#start, { ok: true, value: null });
    t.equal(daemon.phase, 'serving');
    t.same(
      this.#asked.map(({ outcome }) => outcome),
      this.#asked.map(() => ({ ok: true, value: null })),
      'each file was taken',
    );
    t.equal(daemon.spec, this.#last, 'the last one is in use');
    const names = daemon.spec.listeners.map(({ name }) => name);
    for (const plan of fleet.plans) {
      t.same(plan?.listeners.map(({ name }) => name).toSorted(), names.toSorted());
      const named = plan?.pools.flatMap(({ backends }) => backends).filter((b) => !b.draining);
      const hosts = named?.map(({ endpoint }) => endpoint.kind === 'ip' && endpoint.host) ?? [];
      t.ok(hosts.includes(`10.7.0.${this.#net}`), 'names are where they lead now');
    }
    await this.#isCovered(t);
  }

  /** Each socket is served by one worker, also while another one is lost and when it is back. */
  async #isCovered(t: Test): Promise<void> {
    const { daemon, fleet, time } = this.#bench;
    const all = daemon.sockets.count * WORKERS;
    const served = (): readonly number[] =>
      fleet.plans.flatMap((plan, worker) =>
        plan === null || fleet.isDead(worker as WorkerId)
          ? []
          : plan.listeners.flatMap(({ sockets }) => sockets.map(({ key }) => key)),
      );
    for (const moment of ['before', 'meanwhile', 'when it is back']) {
      const keys = served();
      t.same([keys.length, new Set(keys).size], [all, all], `each socket is served ${moment}`);
      if (moment === 'before') this.#workerIsLost();
      if (moment === 'meanwhile') await time.pass(PATIENCE_MS);
      await turns(SOON);
    }
  }

  #over(t: Test): void {
    const { daemon, fleet } = this.#bench;
    t.ok(this.#tookMs <= END_MS, `the end came after ${this.#tookMs} ms`);
    for (const { outcome, when } of this.#asked) {
      t.not(outcome, 'none', 'each change is answered');
      if (when === 'after the stop began') t.match(outcome, { ok: false, error: [/outranks/] });
    }
    t.equal(daemon.sockets.count, 0);
    const sent = fleet.listenersSent.slice(this.#sentBefore);
    const without = sent.indexOf(0);
    const after = without < 0 ? [] : sent.slice(without);
    t.ok(
      after.every((count) => count === 0),
      'no listener comes back',
    );
  }

  #file(): Spec {
    const address = { kind: 'name', host: 'moves.example', port: 1 } as const;
    const some = Array.from({ length: below(this.#random, 3) }, () =>
      backendSpec(`b${below(this.#random, 9)}`),
    );
    const backends = [...new Map(some.map((backend) => [backend.name, backend])).values()];
    const pool = poolSpec('p', { backends: [...backends, backendSpec('n', { address })] });
    const listeners = Array.from({ length: 1 + below(this.#random, 2) }, (_, index) =>
      listenerSpec(`l${below(this.#random, 2)}-${index}`, 'p', {
        bind: [ipEndpoint(4, '127.0.0.1', 0), ipEndpoint(4, '127.0.0.2', 0)].slice(
          below(this.#random, 2),
        ),
      }),
    );
    return spec([pool], listeners);
  }

  async #turns(most: number): Promise<void> {
    await turns(below(this.#random, most + 1));
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function pick<T>(random: Random, all: readonly [T, ...T[]]): T {
  return all[below(random, all.length)] ?? all[0];
}

t.test(`whatever comes in whatever order, a stop wins (SEED=${firstSeed})`, async (t) => {
  const descriptors = openDescriptors();
  for (let seed = firstSeed; seed < firstSeed + PROGRAMS; seed++) {
    await new Program(seed).run(t);
    t.equal(openDescriptors(), descriptors, 'nothing is left open');
    if (!t.passing()) return t.comment(`SEED=${seed} comes to this end`);
  }
});
