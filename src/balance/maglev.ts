/**
 * Maglev hashing: a table of prime size in which the members take turns, each following its own
 * permutation of the slots to the next free one. Slots are even to within one turn, a look-up is
 * one index, and when a member leaves hardly any other slot changes hands. D. Eisenbud et al.,
 * "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4 and
 * pseudocode 1.
 */
import { assert, present } from '../core/assert.js';
import { isPrime } from '../core/prime.js';
import { inStretches, type Stretches } from '../core/stretches.js';
import { hashName } from './hash.js';
import { type HashTable, placedMembers } from './hash_table.js';
import type { PolicyMember } from './policy.js';

const OFFSET_SEED = 0x6d61676c;
const SKIP_SEED = 0x65763136;
const EMPTY = -1;

interface Turn {
  readonly member: number;
  readonly weights: Weights;
  readonly rank: number;
  readonly skip: number;
  /** The next slot of this member's permutation. */
  slot: number;
}

/** Members of one weight have their turns in the same rounds. */
interface Weights {
  readonly weight: number;
  readonly turns: Turn[];
  /** Weight that a member must have earned before its next turn. */
  due: number;
  state: 'waits' | 'has its turns';
}

/** With fewer turns in a round than this share of all, only those are looked at. */
const FEW = 1 / 8;
/** Slots that are looked at in one stretch: half a millisecond. */
const LOOKS_PER_STRETCH = 65_536;

/** `size` must be a prime: only then does every skip visit every slot. */
export function* maglevTable(
  members: readonly PolicyMember[],
  size: number,
): Stretches<MaglevTable> {
  assert(isPrime(size), `a Maglev table's size is a prime, and ${size} is not`);
  const slots = new Int16Array(size).fill(EMPTY);
  yield* fill(slots, members);
  return new MaglevTable(slots);
}

export class MaglevTable implements HashTable {
  /** By slot: the member that owns it. */
  readonly #slots: Int16Array;

  constructor(slots: Int16Array) {
    this.#slots = slots;
  }

  home(hash: number): number {
    return this.#slots[hash % this.#slots.length] ?? EMPTY;
  }
}

/**
 * In round r a member has a turn if r times its weight reached what its turns so far cost, which is
 * the greatest weight each: the heaviest has one every round, one of half its weight every other.
 * (The paper leaves weights open; Envoy's table does this too.)
 */
function* fill(slots: Int16Array, members: readonly PolicyMember[]): Stretches {
  const byWeight = new Map<number, Weights>();
  const placed = placedMembers(members);
  const all: Turn[] = [];
  yield* inStretches(placed.length, (rank) => {
    all.push(firstTurn(members, placed[rank] ?? 0, rank, slots.length, byWeight));
  });
  const weights = [...byWeight.values()];
  const greatest = Math.max(0, ...byWeight.keys());
  let free = all.length === 0 ? 0 : slots.length;
  let looks = 0;
  for (let round = 0; free > 0; round++) {
    const turns = turnsOf(round, greatest, weights, all);
    for (const turn of turns) {
      if (turn.weights.state === 'waits') continue;
      if (free === 0) return;
      looks += take(slots, turn);
      free--;
      if (looks < LOOKS_PER_STRETCH) continue;
      looks = 0;
      yield;
    }
  }
}

/** Those that have a turn in `round`, by rank; others may be among them. */
function turnsOf(
  round: number,
  greatest: number,
  weights: readonly Weights[],
  all: readonly Turn[],
): readonly Turn[] {
  let count = 0;
  for (const each of weights) {
    each.state = round * each.weight < each.due ? 'waits' : 'has its turns';
    if (each.state === 'waits') continue;
    each.due += greatest;
    count += each.turns.length;
  }
  if (count >= FEW * all.length) return all;
  return weights
    .flatMap(({ state, turns }) => (state === 'waits' ? [] : turns))
    .sort((a, b) => a.rank - b.rank);
}

function firstTurn(
  members: readonly PolicyMember[],
  index: number,
  rank: number,
  size: number,
  byWeight: Map<number, Weights>,
): Turn {
  const { name, weight } = present(members[index], 'a placed member is one of the members');
  const weights = byWeight.get(weight) ?? { weight, turns: [], due: 0, state: 'waits' };
  byWeight.set(weight, weights);
  const turn = {
    member: index,
    weights,
    rank,
    slot: hashName(name, OFFSET_SEED) % size,
    skip: (hashName(name, SKIP_SEED) % (size - 1)) + 1,
  };
  weights.turns.push(turn);
  return turn;
}

/** Answers at how many slots it looked. */
function take(slots: Int16Array, turn: Turn): number {
  let looks = 1;
  for (; slots[turn.slot] !== EMPTY; looks++) turn.slot = (turn.slot + turn.skip) % slots.length;
  slots[turn.slot] = turn.member;
  return looks;
}
