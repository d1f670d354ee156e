/** The workloads that policies are compared on: each one asks a question. */
import { type ArrivalSpec, drawArrivals } from '../../src/balance/simulate/arrivals.js';
import type { Scenario, SimulatedBackend, Trouble } from '../../src/balance/simulate/scenario.js';
import { seededRandom } from '../../src/core/random.js';

export interface Workload {
  readonly question: string;
  readonly scenario: (seed: number) => Scenario;
}

interface Shape {
  readonly backends: readonly SimulatedBackend[];
  /** Share of what all backends can do. */
  readonly load: number;
  readonly work: ArrivalSpec['work'];
  readonly meanWorkMs?: number;
  readonly clients?: number;
  /** Sessions at once, per backend; 0: they only hold a place, and `load` is their number. */
  readonly slots?: number;
  readonly troubles?: readonly Trouble[];
  /** One backend of this many is up; `load` is that of those that are. */
  readonly upEach?: number;
}

const DURATION_MS = 30_000;
const WARMUP_MS = 5_000;

export const WORKLOADS: readonly Workload[] = [
  {
    question: 'Short sessions at 90 % load over 30 equal backends: who queues?',
    scenario: (seed) => build(seed, { backends: equal(30), load: 0.9, work: 'exponential' }),
  },
  {
    question:
      'A long tail (Pareto) at 70 % load over 10 equal backends: who gets stuck behind one?',
    scenario: (seed) => build(seed, { backends: equal(10), load: 0.7, work: 'pareto' }),
  },
  {
    question: 'Weights that match speeds 1, 2 and 4, at 80 % load: are they kept?',
    scenario: (seed) =>
      build(seed, { backends: graded([1, 2, 4]), load: 0.8, work: 'exponential' }),
  },
  {
    question: 'Speeds 1 and 3 that the weights know nothing of, at 70 % load: who finds out?',
    scenario: (seed) =>
      build(seed, {
        backends: equal(12).map((backend, i) => ({ ...backend, speed: i % 2 === 0 ? 1 : 3 })),
        load: 0.7,
        work: 'exponential',
      }),
  },
  {
    question: 'One of 10 works at a tenth of its speed for 10 s, at 60 % load: who avoids it?',
    scenario: (seed) =>
      build(seed, {
        backends: equal(10),
        load: 0.6,
        work: 'exponential',
        troubles: [{ kind: 'slow', backend: 3, fromMs: 10_000, toMs: 20_000, factor: 10 }],
      }),
  },
  {
    question:
      'One of 10 dies for 10 s, and health notices after 3 s, at 60 % load: who keeps trying it?',
    scenario: (seed) =>
      build(seed, {
        backends: equal(10),
        load: 0.6,
        work: 'exponential',
        troubles: [{ kind: 'down', backend: 3, fromMs: 10_000, toMs: 20_000 }],
      }),
  },
  {
    question: 'Sessions of 2 s that only hold a place, some 20 a backend: how even are they?',
    scenario: (seed) =>
      build(seed, {
        backends: equal(10),
        load: 20,
        work: 'exponential',
        meanWorkMs: 2000,
        slots: 0,
      }),
  },
  {
    question: 'The same from 40 clients only: what does staying at one backend cost?',
    scenario: (seed) =>
      build(seed, {
        backends: equal(10),
        load: 20,
        work: 'exponential',
        meanWorkMs: 2000,
        slots: 0,
        clients: 40,
      }),
  },
  {
    question:
      'Nine of ten of 300 backends are down (a tenth of the imbalance is that of the rest), at 90 % load',
    scenario: (seed) =>
      build(seed, { backends: equal(300), upEach: 10, load: 0.9, work: 'exponential' }),
  },
  {
    question:
      'The same with weights 1 to 3, and sessions of 2 s that only hold a place: how even are they?',
    scenario: (seed) =>
      build(seed, {
        backends: equal(300).map((each, i) => ({
          ...each,
          weight: 1 + (i % 3),
          speed: 1 + (i % 3),
        })),
        upEach: 10,
        load: 20,
        work: 'exponential',
        meanWorkMs: 2000,
        slots: 0,
      }),
  },
];

function equal(count: number): SimulatedBackend[] {
  return Array.from({ length: count }, (_, index) => backend(`b${index}`, 1));
}

/** Four backends of each weight, as quick as they are heavy. */
function graded(weights: readonly number[]): SimulatedBackend[] {
  return weights.flatMap((weight) =>
    [0, 1, 2, 3].map((copy) => ({ ...backend(`w${weight}-${copy}`, weight), speed: weight })),
  );
}

function backend(name: string, weight: number): SimulatedBackend {
  return { name, weight, speed: 1, maxConnections: 0 };
}

/** Health has noticed before anything is measured, and nothing ends before the last session. */
function downThroughout(index: number): Trouble {
  return { kind: 'down', backend: index, fromMs: 0, toMs: 2 * DURATION_MS };
}

function build(seed: number, shape: Shape): Scenario {
  const { backends, load, work, meanWorkMs = 8, clients = 5000, slots = 1, upEach = 1 } = shape;
  const isUp = (index: number): boolean => index % upEach === 0;
  const speed = backends.reduce((sum, each, index) => sum + (isUp(index) ? each.speed : 0), 0);
  const down = [...backends.keys()].filter((index) => !isUp(index));
  const troubles = [...(shape.troubles ?? []), ...down.map(downThroughout)];
  const ratePerSecond = (1000 * load * speed) / meanWorkMs;
  const spec = { ratePerSecond, durationMs: DURATION_MS, work, meanWorkMs, clients };
  return {
    backends,
    arrivals: drawArrivals(spec, seededRandom(seed)),
    slots,
    troubles,
    detectMs: 3000,
    retries: 2,
    warmupMs: WARMUP_MS,
  };
}
