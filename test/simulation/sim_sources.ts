/** Sources that know the members, learn of others, fail, fall silent and lie, by chance. */
import { present } from '../../src/core/assert.js';
import type { Clock, Timers } from '../../src/core/clock.js';
import {
  type DiscoverySpec,
  SOURCE_FAILURES,
  type SourceSpec,
  type WitnessRules,
} from '../../src/core/discovery_spec.js';
import { formatAddress, ipEndpoint } from '../../src/core/endpoint.js';
import { below, type Random } from '../../src/core/random.js';
import {
  type Member,
  membersFound,
  plainMember,
  type Source,
  type SourceAnswer,
  sourceFailed,
} from '../../src/discovery/source.js';

export const RULES: WitnessRules = {
  holdMs: 3_000,
  confirmMs: 2_000,
  maxRemovedPercent: 50,
  whenEmpty: 'keep',
  limit: 12,
};
/** Members that may be there, and addresses at which none ever is. */
const MEMBERS = 6;
const STRANGERS = 4;
const MEMBER_NET = '10.1';
const STRANGER_NET = '10.2';
const PORT = 7_000;
const MUTE_MS = 1_500;

const NEVER: Naming = { lastMs: 0, backMs: 0, gapMs: 0 };

type Mood = 'right' | 'failing' | 'mute' | { readonly says: readonly Member[] };

/** What answers have said of an address. */
export interface Naming {
  /** When one named it last. */
  readonly lastMs: number;
  /** The last time after which one named it that none had for at least `confirm`. */
  readonly backMs: number;
  /** How long none had then. */
  readonly gapMs: number;
}

/** What stands behind one source: a pool has one at most. */
interface Origin {
  readonly net: number;
  truth: ReadonlySet<number>;
  mood: Mood;
  untilMs: number;
  /** By address. */
  readonly naming: Map<string, Naming>;
}

export function sourceOf(pool: string): DiscoverySpec {
  return { source: { kind: 'file', path: `/${pool}` }, rules: RULES, maxConnections: 0 };
}

/** No member is at `address`, whatever a source says. */
export function isEmptyPlace(address: string): boolean {
  return address.startsWith(`${STRANGER_NET}.`);
}

/** Some source has named `address`: no file does. */
export function isFound(address: string): boolean {
  return isEmptyPlace(address) || address.startsWith(`${MEMBER_NET}.`);
}

export class SimSources {
  readonly #time: Clock & Timers;
  readonly #random: Random;
  readonly #note: (line: string) => void;
  readonly #origins = new Map<string, Origin>();

  constructor(time: Clock & Timers, random: Random, note: (line: string) => void) {
    this.#time = time;
    this.#random = random;
    this.#note = note;
  }

  create(spec: SourceSpec): Source {
    const origin = this.#originOf(spec.kind === 'file' ? spec.path : '');
    let said: readonly Member[] | null = null;
    return {
      ask: async () => {
        const answer = await this.#answer(origin, said);
        if (answer.kind === 'members') said = answer.members;
        // One that names too many names none, also when nothing has changed since.
        const counts = answer.kind !== 'failed' && said !== null && said.length <= RULES.limit;
        if (counts) this.#noteNamed(origin, said ?? []);
        return answer;
      },
    };
  }

  naming(address: string): Naming {
    for (const { naming } of this.#origins.values()) {
      const known = naming.get(address);
      if (known !== undefined) return known;
    }
    return NEVER;
  }

  /** The members change, or what a source makes of them. */
  happen(): void {
    for (const [path, origin] of this.#origins) {
      const nowMs = this.#time.nowMs();
      if (below(this.#random, 40) === 0) this.#changeTruth(origin);
      if (origin.mood !== 'right') {
        if (nowMs < origin.untilMs) continue;
        origin.mood = 'right';
        this.#note(`${path} is right`);
      } else if (below(this.#random, 60) === 0) this.#goWrong(path, origin);
    }
  }

  heal(): void {
    for (const origin of this.#origins.values()) origin.mood = 'right';
  }

  #originOf(path: string): Origin {
    const known = this.#origins.get(path);
    if (known !== undefined) return known;
    const truth = new Set([0, 1, 2, 3].filter((at) => at === 0 || below(this.#random, 3) > 0));
    const net = this.#origins.size;
    const origin: Origin = { net, truth, mood: 'right', untilMs: 0, naming: new Map() };
    this.#origins.set(path, origin);
    return origin;
  }

  #changeTruth(origin: Origin): void {
    const truth = new Set(origin.truth);
    const one = below(this.#random, MEMBERS);
    if (!truth.delete(one)) truth.add(one);
    if (truth.size > 0) origin.truth = truth;
  }

  /** Three of four times for less than the time that would make it believed. */
  #goWrong(path: string, origin: Origin): void {
    const kind = below(this.#random, 6);
    origin.mood = kind === 0 ? 'failing' : kind === 1 ? 'mute' : { says: this.#lie(origin) };
    const isShort = below(this.#random, 4) > 0;
    const most = isShort ? RULES.confirmMs : 3 * RULES.holdMs;
    origin.untilMs = this.#time.nowMs() + below(this.#random, most);
    const { mood } = origin;
    const told = typeof mood === 'string' ? mood : `lying: ${mood.says.map(textOf)}`;
    this.#note(`${path} is ${told} for ${Math.round(origin.untilMs - this.#time.nowMs())} ms`);
  }

  #lie({ net, truth }: Origin): readonly Member[] {
    const some = <T>(all: readonly T[]): readonly T[] =>
      all.filter(() => below(this.#random, 2) === 0);
    const strangers = many(STRANGERS).map((at) => memberAt(STRANGER_NET, net, at));
    const known = [...truth].map((at) => memberAt(MEMBER_NET, net, at));
    const lies = [
      (): readonly Member[] => [],
      () => strangers,
      () => some(known),
      () => [...some(known), ...some(strangers)],
      () => many(RULES.limit + 1).map((at) => memberAt(STRANGER_NET, net, at)),
    ];
    return present(lies[below(this.#random, lies.length)], 'one of the lies is sent')();
  }

  async #answer(origin: Origin, said: readonly Member[] | null): Promise<SourceAnswer> {
    await this.#wait(below(this.#random, 50));
    const { mood, net, truth } = origin;
    if (mood === 'mute') {
      await this.#wait(MUTE_MS);
      return sourceFailed('timeout', 'it says nothing');
    }
    if (mood === 'failing') {
      const failure = SOURCE_FAILURES[below(this.#random, SOURCE_FAILURES.length)] ?? 'refused';
      return sourceFailed(failure, 'it fails');
    }
    const members =
      mood === 'right' ? [...truth].map((at) => memberAt(MEMBER_NET, net, at)) : mood.says;
    const againMs = 200 + below(this.#random, 600);
    const isSame = said !== null && textsOf(said) === textsOf(members);
    if (isSame && below(this.#random, 2) === 0) return { kind: 'unchanged', againMs };
    return membersFound(members, againMs);
  }

  #noteNamed({ naming }: Origin, members: readonly Member[]): void {
    const nowMs = this.#time.nowMs();
    for (const address of members.map(textOf)) {
      const before = naming.get(address) ?? NEVER;
      const gapMs = nowMs - before.lastMs;
      const back = gapMs >= RULES.confirmMs ? { backMs: nowMs, gapMs } : before;
      naming.set(address, { ...back, lastMs: nowMs });
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#time.after(delayMs, resolve));
  }
}

function memberAt(network: string, net: number, at: number): Member {
  const address = ipEndpoint(4, `${network}.${net}.${at}`, PORT);
  return { ...plainMember(address), weight: 1 + (at % 3) };
}

function textOf({ address }: Member): string {
  return formatAddress(address);
}

function textsOf(members: readonly Member[]): string {
  return members.map(textOf).sort().join();
}

function many(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}
