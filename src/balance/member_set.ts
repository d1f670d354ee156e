/**
 * Some of a pool's members, packed: any of them by position, and whether one is there, at once. The
 * last one fills the gap of one that leaves, so positions say nothing about order.
 */

const ABSENT = -1;

export class MemberSet {
  readonly #packed: Int32Array;
  /** By member. */
  readonly #positions: Int32Array;
  #size = 0;

  /** `members`: how many there may be. */
  constructor(members: number) {
    this.#packed = new Int32Array(members);
    this.#positions = new Int32Array(members).fill(ABSENT);
  }

  get size(): number {
    return this.#size;
  }

  /** The member at `position`, 0 to size - 1. */
  at(position: number): number {
    return this.#packed[position] ?? ABSENT;
  }

  /** False for what is no member at all, too. */
  has(member: number): boolean {
    return (this.#positions[member] ?? ABSENT) !== ABSENT;
  }

  add(member: number): void {
    if (this.has(member)) return;
    this.#positions[member] = this.#size;
    this.#packed[this.#size++] = member;
  }

  remove(member: number): void {
    const position = this.#positions[member] ?? ABSENT;
    if (position === ABSENT) return;
    const last = this.at(--this.#size);
    this.#packed[position] = last;
    this.#positions[last] = position;
    this.#positions[member] = ABSENT;
  }
}
