/** Runs the chosen cases and collects what they give. */
import { withEndings } from '../support/endings.js';
import type { AnyCaseName, CaseName } from './case_names.js';
import { caseOf, isReal, SYNTHETIC_CASES } from './cases.js';
import { readEnvironment } from './environment.js';
import { GROWTH, type GrowthSample, nameOf } from './growth.js';
import { LoadProcess } from './load_process.js';
import type { Values } from './measures.js';
import type { Options } from './options.js';
import type { OtherCheckout } from './peers.js';
import { runGrowth } from './run_growth.js';
import { runReal } from './run_real.js';
import { runSynthetic } from './run_synthetic.js';
import type { Absence, Results, Sample } from './sample.js';

export interface Pace {
  readonly rounds: number;
  /** Before the first round, so that JavaScript is compiled. */
  readonly compileMs: number;
  /** At the beginning of each turn, not measured. */
  readonly warmMs: number;
  readonly measureMs: number;
  /** A case may ask for longer turns, but for no more than this times the usual. */
  readonly mostStretch: number;
  /** What sessions that were opened have to come to rest. */
  readonly settleMs: number;
  readonly heldSessions: number;
}

/**
 * Turns are short and many: a machine that changes its speed (a neighbour on a shared core makes a
 * third of difference) changes it within few rounds then, and partners of a round have the same.
 */
const PACES = {
  full: {
    compileMs: 3000,
    warmMs: 200,
    measureMs: 1000,
    heldSessions: 9000,
    settleMs: 25_000,
    mostStretch: 20,
  },
  quick: {
    compileMs: 1200,
    warmMs: 50,
    measureMs: 200,
    heldSessions: 2000,
    settleMs: 500,
    mostStretch: 1,
  },
} as const;

/** What all cases of a run have in common. */
export interface Setting {
  readonly load: LoadProcess;
  readonly pace: Pace;
  readonly recorder: Recorder;
  readonly other: OtherCheckout | null;
}

export class Recorder {
  readonly samples: Sample[] = [];
  readonly growth: GrowthSample[] = [];
  readonly absences: Absence[] = [];
  readonly notes: Partial<Record<CaseName, string>> = {};
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add(sample: Sample): void {
    this.samples.push(sample);
    this.#sayValues(`${sample.case} round ${sample.round + 1} ${sample.peer}`, sample.values);
  }

  addGrowth(sample: GrowthSample): void {
    this.growth.push(sample);
    const who = `${nameOf(sample)} of ${sample.backends}`;
    this.#sayValues(`${GROWTH} round ${sample.round + 1} ${who}`, sample.values);
  }

  note(name: CaseName, sentence: string): void {
    this.notes[name] = sentence;
    this.#say(`${name}: ${sentence}`);
  }

  /** A peer that fails is left out of the round, and the report says so. */
  async attempt(name: AnyCaseName, peer: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      this.absences.push({ case: name, peer, sentence });
      this.#say(`${name} ${peer}: ${sentence}`);
    }
  }

  #sayValues(what: string, values: Values): void {
    const texts = Object.entries(values).map(([key, value]) => `${key} ${short(value)}`);
    this.#say(`${what}: ${texts.join(', ')}`);
  }
}

export async function run(options: Options, say: (line: string) => void): Promise<Results> {
  const environment = readEnvironment();
  const recorder = new Recorder(say);
  const pace = { ...PACES[options.pace], rounds: options.rounds };
  await withEndings(async (scope) => {
    const load = await LoadProcess.start(scope);
    const setting = { load, pace, recorder, other: options.other };
    for (const name of options.cases) {
      if (name === GROWTH) {
        await runGrowth(options.peers, setting);
        continue;
      }
      const names = caseOf(name).peers.filter((peer) => options.peers.includes(peer));
      if (isReal(name)) await runReal(name, names, setting);
      else await runSynthetic(name, SYNTHETIC_CASES[name], names, setting);
    }
  });
  const { samples, growth, absences, notes } = recorder;
  const { pace: paceName, rounds } = options;
  const all = { environment, pace: paceName, rounds, samples, absences, notes };
  return growth.length === 0 ? all : { ...all, growth };
}

function short(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en');
}
