/**
 * The process before this one, which has started it to take its place: what it hands over, and when
 * each of the two serves. As long as this one is not ready, the other one can go on.
 */
import { err, ok, type Result } from '../../core/result.js';
import { adoptDescriptor, closeDescriptor } from '../../kernel/descriptor.js';
import { loadKernel } from '../../kernel/foreign.js';
import { closeOnExec, inheritedSocket } from '../../kernel/inherited_socket.js';
import { type ChannelMessage, LineChannel } from '../../system/line_channel.js';
import { type Inherited, takeInheritance } from '../../system/successor.js';
import type { Refusal } from '../change_queue.js';
import type { HandedSocket } from '../kept_sockets.js';
import { Leavers } from './leavers.js';
import { type Begin, readBegin } from './messages.js';
import { type LeaverOrder, orderMessage } from './orders.js';
import { Handed } from './state_parts.js';

/** Sockets of the admin endpoints, by their names; all others are those of listeners. */
const PLACES = /^(http|control)\//;

const GONE = 'the process before this one has ended';

export class Predecessor {
  /** What it sends of its state. */
  readonly handed = new Handed();
  readonly #inherited: Inherited;
  readonly #channel: LineChannel;
  /** It, and those before it that are still here. */
  readonly leavers: Leavers;
  /** Sockets of admin endpoints that were not asked for. */
  readonly #places = new Map<string, number>();
  /** What came before it was waited for, by its kind. */
  readonly #heard = new Map<unknown, ChannelMessage>();
  #waits: {
    readonly kind: string;
    readonly heard: (message: ChannelMessage | null) => void;
  } | null = null;
  /** To be said when this one serves. */
  readonly #later: LeaverOrder[] = [];
  #takeSignal: (signal: string) => void = () => {};
  #end: 'open' | 'closed' = 'open';
  #state: 'waiting' | 'prepared' | 'opened' | 'served' = 'waiting';
  #go: ChannelMessage | null = null;

  private constructor(inherited: Inherited) {
    this.#inherited = inherited;
    this.#channel = LineChannel.over(inherited.channel);
    this.leavers = new Leavers(inherited, this.#channel, (message) => {
      if (message['kind'] === 'state') this.handed.hear(message);
    });
    this.#channel.each((message) => {
      if (this.leavers.heard(message)) return;
      const waits = this.#waits;
      if (message['kind'] === 'state') this.handed.hear(message);
      else if (message['kind'] === 'signal') this.#takeSignal(String(message['signal']));
      else if (waits !== null && waits.kind === message['kind']) waits.heard(message);
      else this.#heard.set(message['kind'], message);
    });
    void this.#channel.closed.then(() => {
      this.#end = 'closed';
      this.#waits?.heard(null);
    });
  }

  /** null: this process takes the place of no other. */
  static find(env: NodeJS.ProcessEnv): Predecessor | null {
    const inherited = takeInheritance(env);
    if (inherited === null) return null;
    const kernel = loadKernel();
    if (kernel.ok) {
      for (const fd of [inherited.channel, ...inherited.leaving]) closeOnExec(kernel.value, fd);
    }
    return new Predecessor(inherited);
  }

  /** What is there before anything else; null: it cannot be read, and only sockets are taken. */
  async begin(): Promise<Begin | null> {
    const message = await this.#hear('begin');
    return message === null ? null : readBegin(message);
  }

  /** Sockets of listeners; those of admin endpoints wait for `place`. */
  sockets(begin: Begin | null): readonly HandedSocket[] {
    const kernel = loadKernel();
    const found: HandedSocket[] = [];
    this.#inherited.sockets.forEach((fd, index) => {
      const name = begin?.names[index] ?? null;
      if (name === null || !PLACES.test(name)) {
        found.push({ fd, name });
        return;
      }
      if (kernel.ok) inheritedSocket(kernel.value, adoptDescriptor(fd));
      this.#places.set(name, fd);
    });
    return found;
  }

  /** The socket of an admin endpoint. */
  place(name: string): number | null {
    const fd = this.#places.get(name) ?? null;
    this.#places.delete(name);
    return fd;
  }

  /** Everything that may fail has been done: waits until the other one has left its sockets. */
  async prepared(): Promise<Result<null, Refusal>> {
    if (this.#state !== 'waiting') return ok(null);
    this.#state = 'prepared';
    void this.#channel.send({ kind: 'prepared' });
    this.#go = await this.#hear('go');
    return this.#go === null ? err([GONE]) : ok(null);
  }

  /**
   * This one serves, without the sockets `unasked`; resolves when it is the service for the service
   * manager, too. The other process removes the paths of sockets that this one does not use.
   */
  async ready(version: string, unasked: readonly string[]): Promise<void> {
    this.#state = 'opened';
    const left = [...unasked, ...this.#places.keys()];
    const kernel = loadKernel();
    if (kernel.ok) {
      for (const fd of this.#places.values()) closeDescriptor(kernel.value, adoptDescriptor(fd));
    }
    this.#places.clear();
    void this.#channel.send({ kind: 'ready', version, pid: process.pid, unasked: left });
    await this.#hear('yours');
    this.#state = 'served';
    this.leavers.follow();
    for (const order of this.#later.splice(0)) this.order(order);
  }

  /** Takes signals for the service that come there, which is when this one serves. */
  eachSignal(take: (signal: string) => void): void {
    this.#takeSignal = take;
  }

  /** It may still go on as if nothing had been. */
  get leads(): boolean {
    return this.#state !== 'served';
  }

  /**
   * Says it to all that leave; nothing, as long as the last one may still go on. What health has
   * found meanwhile is said as soon as that is over.
   */
  order(order: LeaverOrder): void {
    if (order.kind === 'verdict' && this.#state !== 'served') this.#later.push(order);
    else if (this.#state === 'opened' || this.#state === 'served') {
      this.leavers.say(orderMessage(order));
    }
  }

  /** Resolves when the last session of it, and of those before it, has ended. */
  get gone(): Promise<void> {
    return this.leavers.gone;
  }

  /** This one cannot serve; resolves when the other one knows. */
  failed(detail: string): Promise<void> {
    return this.#channel.send({ kind: 'failed', detail });
  }

  /** null: the other process is gone. */
  #hear(kind: string): Promise<ChannelMessage | null> {
    const known = this.#heard.get(kind) ?? null;
    if (known !== null || this.#end === 'closed') return Promise.resolve(known);
    return new Promise((resolve) => {
      this.#waits = { kind, heard: resolve };
    });
  }
}
