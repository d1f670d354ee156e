/**
 * Some of a pool's members, packed: any of them by position, and whether one is there, at once. The
 * last one fills the gap of one that leaves. A member whose number is below the size stands at that
 * place; so when all are there each does, and then nothing has to be looked up: of thousands the
 * words that say so are in no cache.
 */

const ABSENT = -1;

export class MemberSet {
  readonly #packed: Int32Array;
  /** By member. */
  readonly #positions: Int32Array;
  #size = 0;
  /** Members that stand at another number than their own. */
  #strayed = 0;

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
    return this.#strayed === 0 ? position : (this.#packed[position] ?? ABSENT);
  }

  /** False for what is no member at all, too. */
  has(member: number): boolean {
    if (this.#strayed === 0) return member >= 0 && member < this.#size;
    return (this.#positions[member] ?? ABSENT) !== ABSENT;
  }

  add(member: number): void {
    if (this.has(member)) return;
    const end = this.#size++;
    let gap = this.#positions[end] ?? ABSENT;
    if (gap === ABSENT) gap = end;
    else this.#move(end, end);
    // At its place stands one whose own is further behind.
    if (member < end && gap !== member) this.#move(this.#packed[member] ?? ABSENT, gap);
    this.#place(member, member < end ? member : gap);
  }

  remove(member: number): void {
    const position = this.#positions[member] ?? ABSENT;
    if (position === ABSENT) return;
    const last = this.#packed[--this.#size] ?? ABSENT;
    this.#positions[member] = ABSENT;
    if (position !== member) this.#strayed--;
    if (last !== member) this.#move(last, position);
  }

  #move(member: number, to: number): void {
    if (this.#positions[member] !== member) this.#strayed--;
    this.#place(member, to);
  }

  #place(member: number, position: number): void {
    this.#packed[position] = member;
    this.#positions[member] = position;
    if (position !== member) this.#strayed++;
  }
}
