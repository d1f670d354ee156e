/**
 * Processes that finish their sessions while this one serves: the one before it, and those before
 * that. Each says over a channel which counts it still has; the next process gets the channels.
 */
import { MAX_LEAVING } from '../../core/limits.js';
import { type ChannelMessage, LineChannel } from '../../system/line_channel.js';
import type { Inherited } from '../../system/successor.js';
import type { Elsewhere } from './elsewhere.js';
import { placesMessage, readPlaces, readRemaining, remainingMessage, TELL } from './remaining.js';

interface Leaver {
  readonly fd: number;
  /** null: the process that gave it to this one may still read there. */
  channel: LineChannel | null;
  state: 'here' | 'left';
}

export class Leavers {
  readonly #all: readonly Leaver[];
  readonly #hear: (message: ChannelMessage) => void;
  #elsewhere: Pick<Elsewhere, 'told' | 'asked' | 'ended' | 'remainingIn'> | null = null;

  /** `hear` gets what else the processes say that were there before the last one. */
  constructor(
    { channel: fd, leaving }: Inherited,
    channel: LineChannel,
    hear: (message: ChannelMessage) => void,
  ) {
    this.#hear = hear;
    const before = leaving.map((at): Leaver => ({ fd: at, channel: null, state: 'here' }));
    const last: Leaver = { fd, channel, state: 'here' };
    this.#all = [last, ...before].slice(0, MAX_LEAVING);
    void channel.closed.then(() => this.#left(last));
  }

  /** Whose sessions count is for `elsewhere` to know. */
  countIn(elsewhere: Elsewhere): void {
    this.#elsewhere = elsewhere;
  }

  /** What the process before this one says of itself and those before; false: of other things. */
  heard(message: ChannelMessage): boolean {
    const remaining = readRemaining(message);
    if (remaining === null) return this.#asks(0, message);
    if (remaining.of < MAX_LEAVING) this.#elsewhere?.told(remaining.of, remaining);
    return true;
  }

  /** The `process`th asks for places: it waits for an answer, whatever it is. */
  #asks(process: number, message: ChannelMessage): boolean {
    const places = readPlaces('ask', message);
    if (places === null) return false;
    const granted = this.#elsewhere?.asked(process, places) ?? [];
    void this.#all[process]?.channel?.send(placesMessage('granted', granted));
    return true;
  }

  /** The process before this one reads no more from those before it. */
  follow(): void {
    this.#all.forEach((leaver, process) => {
      if (leaver.channel !== null) return;
      const channel = LineChannel.over(leaver.fd);
      leaver.channel = channel;
      channel.each((message) => {
        const remaining = readRemaining(message);
        if (remaining !== null) this.#elsewhere?.told(process, remaining);
        else if (!this.#asks(process, message)) this.#hear(message);
      });
      void channel.closed.then(() => this.#left(leaver));
      void channel.send(TELL);
    });
  }

  /** To each of them. */
  say(message: ChannelMessage): void {
    for (const { channel } of this.#all) void channel?.send(message);
  }

  /** Resolves when none is here any more, but for those that another process reads from. */
  get gone(): Promise<void> {
    const closed = this.#all.map(({ channel }) => channel?.closed);
    return Promise.all(closed).then(() => {});
  }

  /** Why there must not be one more; null: there may. */
  get obstacle(): string | null {
    const here = this.#here;
    if (here.length < MAX_LEAVING) return null;
    const pids = here.map(([process]) => this.#elsewhere?.remainingIn(process).pid ?? 0);
    return (
      `${here.length} processes before this one still finish sessions (${pids.join(', ')}): ` +
      'wait for the end of one, or end it with kill, which cuts its sessions'
    );
  }

  /** For the next process. */
  get descriptors(): readonly number[] {
    return this.#here.map(([, { fd }]) => fd);
  }

  /** Says to the next process what those before this one have said, in the same order. */
  tell(next: LineChannel): void {
    this.#here.forEach(([process], index) => {
      const told = this.#elsewhere?.remainingIn(process) ?? { pid: 0, counts: [] };
      void next.send(remainingMessage({ ...told, of: index + 1, extent: 'all' }));
    });
  }

  /** Another process reads there now. */
  leaveAlone(): void {
    for (const { channel } of this.#all) channel?.close();
  }

  get #here(): readonly (readonly [process: number, leaver: Leaver])[] {
    return [...this.#all.entries()].filter(([, { state }]) => state === 'here');
  }

  #left(leaver: Leaver): void {
    leaver.state = 'left';
    this.#elsewhere?.ended(this.#all.indexOf(leaver));
  }
}
