/**
 * What a process sends the next one of its state: items of some parts, many in a line. A part that
 * is not known is passed over, and an item that makes no sense is not taken over; both leave the
 * others as they are.
 */
import type { ChannelMessage } from '../../system/line_channel.js';
import { FORMAT } from './messages.js';

/**
 * `backends`: verdicts of probes, and since when each is in its state. `passive`: what real traffic
 * has decided, and slow start. `traffic`, `counters`: what workers and the main thread count.
 * `hour`: the last hour in figures. `events`, `histories`: what has happened lately, to all and to
 * each backend.
 */
const STATE_PARTS = [
  'backends',
  'passive',
  'traffic',
  'counters',
  'hour',
  'events',
  'histories',
] as const;
export type StatePart = (typeof STATE_PARTS)[number];

export type StateItem = Readonly<Record<string, unknown>>;

/** Some tens of kilobytes, which are made, or read, in a millisecond or two. */
const ITEMS_PER_LINE = 128;

/** `null` among the items ends a line: others have their turn before the next one. */
export function* stateLines(
  part: StatePart,
  items: Iterable<StateItem | null>,
): Iterable<ChannelMessage | null> {
  let line: StateItem[] = [];
  for (const item of items) {
    if (item !== null) line.push(item);
    if (item !== null && line.length < ITEMS_PER_LINE) continue;
    yield line.length === 0 ? null : messageOf(part, line);
    line = [];
  }
  if (line.length > 0) yield messageOf(part, line);
}

/** Resolves when all of it is with the kernel; `turn` lets everything else have its turn. */
export async function sendState(
  channel: Channel,
  lines: Iterable<ChannelMessage | null>,
  turn: () => Promise<void>,
): Promise<void> {
  for (const line of lines) {
    if (line !== null) await channel.send(line);
    await turn();
  }
}

function messageOf(part: StatePart, items: readonly StateItem[]): ChannelMessage {
  return { kind: 'state', format: FORMAT, of: part, items };
}

export interface Channel {
  readonly send: (message: ChannelMessage) => Promise<void>;
}

type Take = (item: StateItem) => 'taken' | 'no sense';

/** What the process before this one sends: each part to the code that asked for it. */
export class Handed {
  readonly #takers = new Map<unknown, Take>();
  /** What came before it was asked for. */
  readonly #early: ChannelMessage[] = [];
  /** By part: how many items made no sense. */
  readonly #refused = new Map<string, number>();
  /** That process serves no more: all that it knew by then was sent. */
  readonly settled: Promise<void>;
  #settle: () => void = () => {};
  #state: 'beginning' | 'settled' = 'beginning';

  constructor() {
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** A message of the kind `state`. */
  hear(message: ChannelMessage): void {
    const { format, of: part, items } = message;
    const known = STATE_PARTS.find((one) => one === part);
    if (known === undefined) return;
    const take = this.#takers.get(known);
    if (format !== FORMAT || !Array.isArray(items)) this.#refuse(known);
    else if (take === undefined) this.#early.push(message);
    else for (const item of items) this.#take(known, take, item);
  }

  /** From now on `take` gets each item of `part`, those that came before too. */
  each(part: StatePart, take: Take): void {
    this.#takers.set(part, take);
    for (const message of this.#early.splice(0)) this.hear(message);
  }

  /** It has left its sockets; from now on it reports what it finishes. */
  settle(): void {
    this.#state = 'settled';
    this.#settle();
  }

  get isSettled(): boolean {
    return this.#state === 'settled';
  }

  /** What made no sense since the last call, in words; null: all did. */
  takeTrouble(): string | null {
    const told = [...this.#refused].map(([part, count]) => `${count} of ${part}`);
    this.#refused.clear();
    return told.length === 0 ? null : told.join(', ');
  }

  #take(part: StatePart, take: Take, item: unknown): void {
    const isItem = typeof item === 'object' && item !== null && !Array.isArray(item);
    if (!isItem || take(item as StateItem) === 'no sense') this.#refuse(part);
  }

  #refuse(part: StatePart): void {
    this.#refused.set(part, (this.#refused.get(part) ?? 0) + 1);
  }
}
