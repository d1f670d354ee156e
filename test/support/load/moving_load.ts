/** New connections all the time to an address that moves from one machine to another. */
import type { Test } from 'tap';
import { atRate } from '../deadline.js';
import { type Target, tryDial, type Wire } from '../wire.js';

const PER_SECOND = 200;
const SLICE_MS = 100;

/** In which time a client came through; one that tried in between comes through afterwards. */
type When = 'before' | 'after';

interface Client {
  readonly when: When;
  /** Null: it was cut before it could say anything. */
  readonly wire: Wire | null;
  /** Null: it was served; else what became of it. */
  readonly end: Promise<string | null>;
}

export interface MovingReport {
  /** How many connected. */
  readonly done: Readonly<Record<When, number>>;
  /** Why those could not connect that could not. */
  readonly refused: readonly string[];
  /** What became of those that connected and were not served. */
  readonly cut: Readonly<Record<When, readonly string[]>>;
}

/** Clients that connect, say something, get it back and leave. */
export class MovingLoad {
  readonly #target: Target;
  readonly #dials: Promise<Client | string>[] = [];
  #when: When = 'before';

  constructor(t: Test, target: Target) {
    this.#target = target;
    t.teardown(async () => {
      for (const dialled of await Promise.all(this.#dials)) {
        if (typeof dialled !== 'string') dialled.wire?.socket.destroy();
      }
    });
  }

  /** New ones all the time, until `act` is over. */
  async until(act: () => Promise<void>): Promise<void> {
    await atRate(PER_SECOND, SLICE_MS, () => this.#begin());
    let over = false;
    const acting = act().finally(() => {
      over = true;
    });
    while (!over) await atRate(PER_SECOND, SLICE_MS, () => this.#begin());
    await acting;
    await atRate(PER_SECOND, SLICE_MS, () => this.#begin());
  }

  /** Those that come through from now on are where the address stays. */
  moved(): void {
    this.#when = 'after';
  }

  async end(): Promise<MovingReport> {
    const dialled = await Promise.all(this.#dials);
    const refused = dialled.filter((one) => typeof one === 'string');
    const clients = dialled.filter((one) => typeof one !== 'string');
    const before = clients.filter(({ when }) => when === 'before');
    const after = clients.filter(({ when }) => when === 'after');
    const cutAfter = await cutOf(after);
    // A client that only waits for an answer of the machine that lost the address is never
    // notified.
    for (const { wire } of before) wire?.socket.destroy();
    const cut = { before: await cutOf(before), after: cutAfter };
    return { done: { before: before.length, after: after.length }, refused, cut };
  }

  #begin(): void {
    const dial = tryDial(this.#target).then((wire) => {
      const when = this.#when;
      if (typeof wire !== 'string') return { when, wire, end: exchange(wire) };
      // A client that is refused gets ECONNREFUSED: here one machine answered, and the other got
      // the rest.
      if (wire === 'ECONNRESET') return { when, wire: null, end: Promise.resolve(wire) };
      return wire;
    });
    this.#dials.push(dial);
  }
}

async function cutOf(clients: readonly Client[]): Promise<readonly string[]> {
  return (await Promise.all(clients.map(({ end }) => end))).filter((end) => end !== null);
}

async function exchange(wire: Wire): Promise<string | null> {
  try {
    await wire.send('hello');
    if ((await wire.readText(5)) !== 'hello') return 'another answer';
    wire.finish();
    const how = await wire.ended;
    return how === 'fin' ? null : how;
  } catch (error) {
    return String(error);
  } finally {
    wire.socket.destroy();
  }
}
