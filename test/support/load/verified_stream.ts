/**
 * A long-lived connection that sends stamped blocks all the time and checks every byte that comes
 * back.
 */
import { createHash } from 'node:crypto';
import { pass, within } from '../deadline.js';
import { type Target, tryDial, type Wire } from '../wire.js';

const BLOCK_BYTES = 512;

export interface StreamReport {
  readonly blocks: number;
  /** null: every byte came back in its place and both ends finished in order. */
  readonly failure: string | null;
}

export class VerifiedStream {
  readonly #wire: Wire;
  readonly #id: number;
  readonly #report: Promise<StreamReport>;
  #finishing = false;

  private constructor(wire: Wire, id: number, pauseMs: number) {
    this.#wire = wire;
    this.#id = id;
    this.#report = this.#run(pauseMs);
  }

  /** Connects and exchanges a first block, so that the backend has been chosen on return. */
  static async open(target: Target, id: number, pauseMs: number): Promise<VerifiedStream> {
    const wire = await tryDial(target);
    if (typeof wire === 'string') throw new Error(`connect: ${wire}`);
    const greeting = block(id, 0);
    await wire.send(greeting);
    const answer = await wire.read(BLOCK_BYTES);
    if (!answer.equals(greeting)) throw new Error('the first block came back changed');
    return new VerifiedStream(wire, id, pauseMs);
  }

  /** Ends in order and returns how it went. */
  finish(): Promise<StreamReport> {
    this.#finishing = true;
    return within(`the end of stream ${this.#id}`, this.#report);
  }

  async #run(pauseMs: number): Promise<StreamReport> {
    const sent = createHash('sha256');
    const received = createHash('sha256');
    let blocks = 0;
    try {
      while (!this.#finishing) {
        const next = block(this.#id, ++blocks);
        sent.update(next);
        await this.#wire.send(next);
        const answer = await this.#wire.read(BLOCK_BYTES);
        received.update(answer);
        if (!answer.equals(next)) return { blocks, failure: `block ${blocks} came back changed` };
        await pass(pauseMs);
      }
      this.#wire.finish();
      const { text, how } = await this.#wire.readAll();
      received.update(text, 'latin1');
      if (how !== 'fin') return { blocks, failure: `ended with ${how}` };
      const same = sent.digest('hex') === received.digest('hex');
      return { blocks, failure: same ? null : 'SHA-256 differs' };
    } catch (error) {
      return { blocks, failure: `after ${blocks} blocks: ${String(error)}` };
    } finally {
      this.#wire.socket.destroy();
    }
  }
}

/** Opens `count` streams one after the other. */
export async function openStreams(
  target: Target,
  count: number,
  pauseMs: number,
): Promise<readonly VerifiedStream[]> {
  const streams: VerifiedStream[] = [];
  for (let id = 0; id < count; id++) streams.push(await VerifiedStream.open(target, id, pauseMs));
  return streams;
}

/** Finishes all and gives the failures among them. */
export async function finishStreams(streams: readonly VerifiedStream[]): Promise<string[]> {
  const reports = await Promise.all(streams.map((stream) => stream.finish()));
  return reports.flatMap((report) => (report.failure === null ? [] : [report.failure]));
}

/** Stream and sequence numbers, then bytes that depend on both. */
function block(id: number, sequence: number): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES, (id * 31 + sequence) & 0xff);
  bytes.writeUInt32BE(id, 0);
  bytes.writeUInt32BE(sequence, 4);
  return bytes;
}
