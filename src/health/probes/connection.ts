/**
 * The conversation of one attempt over its connection: reads on demand and a bounded amount, ends
 * by the attempt's signal, and is gone when the attempt is over. Every probe over TCP talks so.
 */

import type { TLSSocket } from 'node:tls';
import { assert, InvariantError } from '../../core/assert.js';
import type { CutOffSignal } from '../../core/cut_off.js';
import type { ProbeTls } from '../../core/health_spec.js';
import type { Talk, Wire, WireDial } from '../../core/wire.js';
import type { ProbeResult, ProbeTarget } from '../probe.js';
import {
  BacklogFull,
  codeOf,
  failureResult,
  metItself,
  ProbeFailed,
  socketFailure,
} from './failed.js';
import { Inbox } from './inbox.js';
import { SocketWire } from './socket_wire.js';
import { tlsOptions } from './tls_options.js';

/** Bytes that one attempt reads at most: no answer that a probe asks for is longer. */
export const MAX_PROBE_ANSWER_BYTES = 65_536;

const LINE_FEED = 0x0a;

/**
 * Connects, sends the prelude, lets `dialogue` talk, and closes. Resolves when the connection is
 * closed; never rejects but for a broken invariant, or by BacklogFull before `dialogue` began. What
 * `dialogue` throws as Failed is the outcome.
 */
export type Converse = (
  target: ProbeTarget,
  signal: CutOffSignal,
  dialogue: (connection: ProbeConnection) => Promise<ProbeResult>,
  talk?: Talk,
) => Promise<ProbeResult>;

/** Conversations over connections that `dial` makes. */
export function conversingBy(dial: WireDial): Converse {
  return async (target, signal, dialogue, talk = 'something') => {
    const connection = new ProbeConnection(dial, target, signal, talk);
    try {
      await connection.connected();
      return await dialogue(connection);
    } catch (error) {
      return failureResult(error);
    } finally {
      await connection.close();
    }
  };
}

export class ProbeConnection {
  readonly #wire: Wire;
  readonly #target: ProbeTarget;
  readonly #signal: CutOffSignal;
  readonly #aborted = (): void =>
    this.#fail(new ProbeFailed('timeout', `timed out ${this.#doing}`));
  #doing = 'while connecting';
  #otherwise: 'reset' | 'tls' = 'reset';
  readonly #inbox = new Inbox(MAX_PROBE_ANSWER_BYTES);
  #failure: ProbeFailed | BacklogFull | null = null;
  /** Called whenever something may have changed that the dialogue waits for. */
  #wake: () => void = () => {};

  /** Begins to connect; an aborted signal ends it at once. */
  constructor(dial: WireDial, target: ProbeTarget, signal: CutOffSignal, talk: Talk) {
    this.#target = target;
    this.#signal = signal;
    const says = target.prelude.length > 0 ? 'something' : talk;
    this.#wire = dial(target.endpoint, says, () => this.#wake(), target.source);
    if (signal.aborted) this.#aborted();
    else signal.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Resolves when the connection stands and the prelude is on its way. */
  async connected(): Promise<void> {
    const wire = this.#wire;
    await this.#until(() => wire.connected);
    if (wire.isToItself()) {
      // Without a trace, so that the port is free when the backend returns.
      wire.reset();
      throw metItself();
    }
    this.#doing = 'while sending';
    const { prelude } = this.#target;
    if (prelude.length > 0) await this.write(prelude);
  }

  /**
   * Puts TLS on the connection. Bytes that came in clear before are an attempt to slip something
   * in (CVE-2021-23222), so they are a failure.
   */
  async startTls(options: ProbeTls): Promise<TLSSocket> {
    const wire = this.#wire;
    assert(wire instanceof SocketWire, 'TLS is spoken over sockets of Node.js');
    if (this.unread.length > 0)
      throw new ProbeFailed('wrong-answer', 'data before the TLS handshake');
    const { endpoint } = this.#target;
    const host = endpoint.kind === 'ip' ? endpoint.host : 'localhost';
    const chosen = await tlsOptions(options, host, this.#signal);
    this.#check();
    this.#doing = 'in the TLS handshake';
    this.#otherwise = 'tls';
    let done = false;
    const secure = wire.secure(chosen, () => {
      done = true;
      this.#wake();
    });
    await this.#until(() => done);
    return secure;
  }

  /** Sends; resolves when the kernel has taken the bytes. */
  async write(bytes: Uint8Array | string): Promise<void> {
    this.#doing = 'while sending';
    this.#check();
    this.#wire.write(bytes);
    await this.#until(() => this.#wire.sent);
  }

  /** The next `bytes` bytes. `what` names them in a failure: "the greeting". */
  async take(bytes: number, what: string): Promise<Buffer> {
    while (this.unread.length < bytes) {
      if (!(await this.more(what))) throw new ProbeFailed('closed-early', `closed before ${what}`);
    }
    return this.skip(bytes);
  }

  /** The next line without its end (LF or CR LF), a character a byte. */
  async takeLine(what: string): Promise<string> {
    let at = this.unread.indexOf(LINE_FEED);
    while (at < 0) {
      const searched = this.unread.length;
      if (!(await this.more(what))) throw new ProbeFailed('closed-early', `closed before ${what}`);
      at = this.unread.indexOf(LINE_FEED, searched);
    }
    return this.skip(at + 1)
      .toString('latin1')
      .replace(/\r?\n$/, '');
  }

  /** What has been read and not yet been taken. */
  get unread(): Buffer {
    return this.#inbox.unread;
  }

  /** Takes the first `bytes` bytes of `unread`. */
  skip(bytes: number): Buffer {
    return this.#inbox.take(bytes);
  }

  /** Reads on, whatever comes; false: the other side has finished. */
  async more(what: string): Promise<boolean> {
    this.#doing = `waiting for ${what}`;
    for (;;) {
      this.#check();
      const chunk = this.#wire.read();
      if (chunk !== null) {
        if (this.#inbox.append(chunk)) return true;
        throw new ProbeFailed(
          'too-much-data',
          `more than ${MAX_PROBE_ANSWER_BYTES} bytes of answer`,
        );
      }
      this.#check();
      if (this.#wire.ended) return false;
      await this.#change();
    }
  }

  /**
   * Sends `goodbye` and FIN: many servers log a reset, but not an end in order. The verdict is
   * known by then, so that nothing which goes wrong here counts.
   */
  async finish(goodbye: Uint8Array | string = ''): Promise<void> {
    const wire = this.#wire;
    wire.end(goodbye);
    while (!wire.sent && !wire.closed && wire.error === null && this.#failure === null) {
      await this.#change();
    }
  }

  /** Closes what is still open; resolves when the descriptor is free. */
  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#aborted);
    this.#wire.destroy();
    while (!this.#wire.closed) await this.#change();
  }

  /** Waits until `isDone`, or throws what went wrong. */
  async #until(isDone: () => boolean): Promise<void> {
    this.#check();
    while (!isDone()) {
      if (this.#wire.closed) throw new ProbeFailed('closed-early', `closed ${this.#doing}`);
      await this.#change();
      this.#check();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #failureOf(error: Error): ProbeFailed | BacklogFull {
    const isFull = this.#target.endpoint.kind === 'unix' && codeOf(error) === 'EAGAIN';
    return isFull ? new BacklogFull() : socketFailure(error, this.#otherwise);
  }

  #check(): void {
    const { error } = this.#wire;
    // Ours, and nothing that the backend did.
    if (error instanceof InvariantError) throw error;
    if (error !== null && this.#failure === null) this.#fail(this.#failureOf(error));
    if (this.#failure !== null) throw this.#failure;
  }

  #fail(failure: ProbeFailed | BacklogFull): void {
    this.#failure ??= failure;
    this.#wire.destroy();
    this.#wake();
  }
}
