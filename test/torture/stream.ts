/**
 * What a sender sends: bytes that name it and that depend on it and on their place, so that a byte
 * of another session, a lost one or one that came twice is noticed at once.
 */
import { seededRandom } from '../../src/core/random.js';

export type SenderKind = 'client' | 'backend';

const BLOCK_BYTES = 1_048_573;
const HEAD_BYTES = 8;
/** The first byte of every stream; PROXY headers begin with another. */
const MARK = 0xa5;
const KINDS: readonly SenderKind[] = ['client', 'backend'];
/** Bytes between the beginnings of two senders in the block. */
const STRIDE = 7_919;

const block = makeBlock();

/** `count` bytes of the stream, from `offset` on. */
export function bytesOf(kind: SenderKind, id: number, offset: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const head = headOf(kind, id);
  const fromHead = Math.max(0, Math.min(HEAD_BYTES - offset, count));
  if (fromHead > 0) head.copy(bytes, 0, offset, offset + fromHead);
  for (let at = fromHead; at < count; ) {
    const from = (offset + at + id * STRIDE) % BLOCK_BYTES;
    at += block.copy(bytes, at, from, Math.min(BLOCK_BYTES, from + count - at));
  }
  return bytes;
}

/** Checks a stream as it comes; its head names the sender. */
export class Receiver {
  count = 0;
  /** null: the head has not come. */
  sender: number | null = null;
  /** The first thing that was wrong. */
  wrong: string | null = null;
  readonly #kind: SenderKind;
  #head: Buffer = Buffer.alloc(0);

  constructor(kind: SenderKind) {
    this.#kind = kind;
  }

  take(chunk: Buffer): void {
    if (this.wrong !== null) return;
    if (this.sender === null) return this.#takeHead(chunk);
    const expected = bytesOf(this.#kind, this.sender, this.count, chunk.length);
    if (!expected.equals(chunk)) {
      this.wrong = `bytes ${this.count} to ${this.count + chunk.length} are not those of ${this.#kind} ${this.sender}`;
    }
    this.count += chunk.length;
  }

  #takeHead(chunk: Buffer): void {
    this.#head = Buffer.concat([this.#head, chunk]);
    if (this.#head.length < HEAD_BYTES) return;
    const head = this.#head;
    const id = head.readUInt32BE(2);
    if (!head.subarray(0, HEAD_BYTES).equals(headOf(this.#kind, id))) {
      this.wrong = `no ${this.#kind}'s stream begins with ${head.subarray(0, 24).toString('hex')}`;
      return;
    }
    this.sender = id;
    this.count = HEAD_BYTES;
    if (head.length > HEAD_BYTES) this.take(head.subarray(HEAD_BYTES));
  }

  /** Bytes that came, the incomplete head included. */
  get received(): number {
    return this.sender === null ? this.#head.length : this.count;
  }
}

/** Whether a stream, and not a PROXY header, begins with this byte. */
export function beginsStream(byte: number | undefined): boolean {
  return byte === MARK;
}

function headOf(kind: SenderKind, id: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = MARK;
  head[1] = KINDS.indexOf(kind);
  head.writeUInt32BE(id, 2);
  head.writeUInt16BE((id * 40_503) & 0xffff, 6);
  return head;
}

function makeBlock(): Buffer {
  const random = seededRandom(1);
  const bytes = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0; at + 4 <= BLOCK_BYTES; at += 4) {
    bytes.writeUInt32LE(Math.floor(random.next() * 2 ** 32), at);
  }
  return bytes;
}
