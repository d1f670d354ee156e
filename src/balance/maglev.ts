/**
 * Maglev hashing: a table of prime size in which the members take turns, each following its own
 * permutation of the slots to the next free one. Slots are even to within one turn, a look-up is
 * one index, and when a member leaves hardly any other slot changes hands. D. Eisenbud et al.,
 * "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4 and
 * pseudocode 1.
 */
import { assert, present } from '../core/assert.js';
import { isPrime } from '../core/prime.js';
import { hashName } from './hash.js';
import { type HashTable, placedMembers } from './hash_table.js';
import type { Member } from './policy.js';

const OFFSET_SEED = 0x6d61676c;
const SKIP_SEED = 0x65763136;
const EMPTY = -1;

interface Turn {
  readonly member: number;
  readonly weight: number;
  readonly skip: number;
  /** The next slot of this member's permutation. */
  slot: number;
  /** Weight that the member must have earned before its next turn. */
  due: number;
}

export class MaglevTable implements HashTable {
  readonly #slots: Int16Array;

  /** `size` must be a prime: only then does every skip visit every slot. */
  constructor(members: readonly Member[], size: number) {
    assert(isPrime(size), `a Maglev table's size is a prime, and ${size} is not`);
    this.#slots = new Int16Array(size).fill(EMPTY);
    fill(this.#slots, members);
  }

  home(hash: number): number {
    return this.#slots[hash % this.#slots.length] ?? EMPTY;
  }

  /** How many slots each of the first `memberCount` members has. */
  slotCounts(memberCount: number): Int32Array {
    const counts = new Int32Array(memberCount);
    for (const member of this.#slots) counts[member] = (counts[member] ?? 0) + 1;
    return counts;
  }
}

/**
 * In round r a member has a turn if r times its weight reached what its turns so far cost, which is
 * the greatest weight each: the heaviest has one every round, one of half its weight every other.
 * (The paper leaves weights open; Envoy's table does this too.)
 */
function fill(slots: Int16Array, members: readonly Member[]): void {
  const turns = placedMembers(members).map((member) => firstTurn(members, member, slots.length));
  const greatest = Math.max(0, ...turns.map((turn) => turn.weight));
  let free = turns.length === 0 ? 0 : slots.length;
  for (let round = 0; free > 0; round++) {
    for (const turn of turns) {
      if (free === 0) return;
      if (round * turn.weight < turn.due) continue;
      turn.due += greatest;
      take(slots, turn);
      free--;
    }
  }
}

function firstTurn(members: readonly Member[], index: number, size: number): Turn {
  const { name, weight } = present(members[index], 'a placed member is one of the members');
  return {
    member: index,
    weight,
    slot: hashName(name, OFFSET_SEED) % size,
    skip: (hashName(name, SKIP_SEED) % (size - 1)) + 1,
    due: 0,
  };
}

function take(slots: Int16Array, turn: Turn): void {
  while (slots[turn.slot] !== EMPTY) turn.slot = (turn.slot + turn.skip) % slots.length;
  slots[turn.slot] = turn.member;
}
