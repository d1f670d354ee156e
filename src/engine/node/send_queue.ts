/**
 * Reports when a peer has received all that a socket sent. A reset throws away what the kernel has
 * not delivered yet, Node.js has no SIOCOUTQ (tcp(7)), but the kernel's table of connections has
 * the same figure: `tx_queue`, bytes written and not acknowledged (proc_net_tcp in the kernel's
 * documentation). To read it takes milliseconds of a helper thread, so sockets share each look.
 */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Clock, Timers } from '../../core/clock.js';
import { ipBytes } from '../../core/ip_bytes.js';
import type { Kernel } from '../../kernel/foreign.js';
import { silentMs } from '../../kernel/tcp_info.js';
import { STANDSTILL_MS } from '../../session/tcp_port.js';
import { Patience } from '../patience.js';
import { descriptorOf } from './socket.js';

const TABLES = ['/proc/thread-self/net/tcp', '/proc/thread-self/net/tcp6'] as const;

/** RFC 6928: ten segments leave at once, without waiting for an acknowledgement. */
const INITIAL_WINDOW_BYTES = 10 * 1_460;

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 160;

/** How many bytes are not acknowledged, by connection: "LOCAL REMOTE" as the table has them. */
type Undelivered = ReadonlyMap<string, string>;

interface Wait {
  readonly socket: Socket;
  readonly name: string;
  readonly then: () => void;
  /** Null: it is waited for until the socket is closed. */
  readonly patience: Patience | null;
}

export class SendQueues {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #kernel: Kernel | null;
  #waits: Wait[] = [];
  #looking: 'no' | 'yes' = 'no';

  /**
   * `kernel`: knows how long a peer has taken nothing; without it, a peer counts as having taken
   * something just now.
   */
  constructor(clock: Clock, timers: Timers, kernel: Kernel | null) {
    this.#clock = clock;
    this.#timers = timers;
    this.#kernel = kernel;
  }

  /** Calls `then`, perhaps at once, when everything written to `socket` was delivered. */
  whenDelivered(socket: Socket, then: () => void): void {
    if (isUnderWay(socket)) then();
    else this.#wait(socket, null, then);
  }

  /** The same, or as soon as the peer takes too little for that. */
  whenDeliveredOrHopeless(socket: Socket, then: () => void): void {
    const stoodMs = this.#stoodMs(socket);
    // Whether or not something is left: a look is not needed.
    if (isUnderWay(socket) || stoodMs >= STANDSTILL_MS) then();
    else this.#wait(socket, new Patience(this.#clock.nowMs(), stoodMs), then);
  }

  #stoodMs(socket: Socket): number {
    const fd = descriptorOf(socket);
    return fd === null || this.#kernel === null ? 0 : silentMs(this.#kernel, fd);
  }

  #wait(socket: Socket, patience: Patience | null, then: () => void): void {
    this.#waits.push({ socket, name: connectionName(socket), then, patience });
    if (this.#looking === 'yes') return;
    this.#looking = 'yes';
    void this.#look(FIRST_PAUSE_MS);
  }

  async #look(pauseMs: number): Promise<void> {
    // Tables are as old as the beginning of the look: they lack what was sent or taken since.
    const [nowMs, asked] = [this.#clock.nowMs(), this.#waits];
    this.#waits = [];
    const undelivered = await readTables();
    const over: Wait[] = [];
    for (const wait of asked) {
      if (wait.socket.destroyed) continue;
      (this.#isOver(wait, undelivered, nowMs) ? over : this.#waits).push(wait);
    }
    for (const { then } of over) then();
    if (this.#waits.length === 0) this.#looking = 'no';
    else {
      const nextPauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      this.#timers.after(pauseMs, () => void this.#look(nextPauseMs));
    }
  }

  #isOver({ socket, name, patience }: Wait, undelivered: Undelivered, nowMs: number): boolean {
    const leftBytes = socket.writableLength + Number.parseInt(undelivered.get(name) ?? '0', 16);
    return leftBytes === 0 || (patience?.isOver(nowMs, leftBytes) ?? false);
  }
}

async function readTables(): Promise<Undelivered> {
  const undelivered = new Map<string, string>();
  for (const path of TABLES) {
    // No table, no knowledge: then nothing is waited for.
    const text = await readFile(path, 'latin1').catch(() => '');
    for (const [name, left] of undeliveredIn(text)) undelivered.set(name, left);
  }
  return undelivered;
}

/** All of it was written, and leaves without waiting for anything. */
function isUnderWay({ bytesWritten, writableLength }: Socket): boolean {
  return writableLength === 0 && bytesWritten <= INITIAL_WINDOW_BYTES;
}

/** From the text of /proc/net/tcp or tcp6: the tx_queue of connections where it is not empty. */
export function undeliveredIn(text: string): (readonly [name: string, left: string])[] {
  const rows = text.matchAll(/^ *\d+: (\S+ \S+) \S+ (?!0{8}:)([0-9A-F]{8}):/gm);
  return Array.from(rows, ([, name = '', left = '']) => [name, left] as const);
}

function connectionName(socket: Socket): string {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return `${endName(localAddress, localPort)} ${endName(remoteAddress, remotePort)}`;
}

/** An address as the table has it: words of 32 bits in the byte order of this machine. */
export function endName(host = '', port = 0): string {
  const bytes = ipBytes(host) ?? new Uint8Array(0);
  const words = Array.from(new Uint32Array(bytes.slice().buffer), (word) => hex(word, 8));
  return `${words.join('')}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
