/** What has come from the other side of a connection, up to a limit, and not yet been taken. */

const FIRST_BYTES = 1_024;
const NOTHING = Buffer.alloc(0);

export class Inbox {
  readonly #limitBytes: number;
  /**
   * What came stands before `end`, what was taken before `start`. It grows by doubling and nothing
   * in it moves, so that bytes that were taken stay as they are.
   */
  #buffer = NOTHING;
  #start = 0;
  #end = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Puts `chunk` behind the rest; false: all in all that is more than the limit. */
  append(chunk: Uint8Array): boolean {
    const end = this.#end + chunk.length;
    if (end > this.#limitBytes) return false;
    if (end > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(end, FIRST_BYTES, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, this.#end);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end = end;
    return true;
  }

  get unread(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Takes the first `bytes` bytes, or what there is. */
  take(bytes: number): Buffer {
    const taken = this.unread.subarray(0, bytes);
    this.#start += taken.length;
    return taken;
  }
}
