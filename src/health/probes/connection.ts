/**
 * The TCP connection of one attempt: reads on demand and a bounded amount, ends by the attempt's
 * signal, and is gone when the attempt is over. Every probe over TCP talks through it.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ProbeTls } from '../../core/spec.js';
import type { ProbeFailure, ProbeResult, ProbeTarget } from '../probe.js';
import { BacklogFull, codeOf, Failed, metItself, outcomeOf, socketFailure } from './failed.js';
import { Inbox } from './inbox.js';
import { tlsOptions } from './tls_options.js';

/** Bytes that one attempt reads at most: no answer that a probe asks for is longer. */
export const MAX_ANSWER_BYTES = 65_536;

const NOTHING = Buffer.alloc(0);
const LINE_FEED = 0x0a;

/**
 * Connects, sends the prelude, lets `dialogue` talk, and closes. Resolves when the socket is
 * closed; never rejects but for a broken invariant, or by BacklogFull before `dialogue` began. What
 * `dialogue` throws as Failed is the outcome.
 */
export async function converse(
  target: ProbeTarget,
  signal: AbortSignal,
  dialogue: (connection: Connection) => Promise<ProbeResult>,
): Promise<ProbeResult> {
  const connection = new Connection(target, signal);
  try {
    await connection.connected();
    return await dialogue(connection);
  } catch (error) {
    return outcomeOf(error);
  } finally {
    await connection.close();
  }
}

export class Connection {
  readonly #raw: Socket;
  readonly #signal: AbortSignal;
  readonly #prelude: Uint8Array;
  readonly #host: string;
  readonly #aborted = (): void => this.#fail(new Failed('timeout', `timed out ${this.#doing}`));
  readonly #readable = (): void => this.#wake();
  /** The socket that the dialogue runs over: the raw one, or TLS on top of it. */
  #socket: Socket;
  #doing = 'while connecting';
  readonly #inbox = new Inbox(MAX_ANSWER_BYTES);
  #failure: Failed | BacklogFull | null = null;
  #ended = false;
  /** Called whenever something has changed that the dialogue may wait for. */
  #wake: () => void = () => {};

  /** Begins to connect; an aborted signal ends it at once. */
  constructor(target: ProbeTarget, signal: AbortSignal) {
    const { endpoint } = target;
    this.#signal = signal;
    this.#prelude = target.prelude;
    this.#host = endpoint.kind === 'ip' ? endpoint.host : 'localhost';
    this.#raw =
      endpoint.kind === 'ip'
        ? connect({ host: endpoint.host, port: endpoint.port, noDelay: true })
        : connect({ path: endpoint.path });
    this.#socket = this.#raw;
    this.#raw.on('error', (error) => {
      if (endpoint.kind === 'unix' && codeOf(error) === 'EAGAIN') this.#fail(new BacklogFull());
    });
    this.#watch(this.#raw, 'reset');
    if (signal.aborted) this.#aborted();
    signal.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Resolves when the connection stands and the prelude is on its way. */
  async connected(): Promise<void> {
    await this.#done((done) => this.#raw.once('connect', done));
    if (isToItself(this.#raw)) {
      // Without a trace, so that the port is free when the backend returns.
      this.#raw.resetAndDestroy();
      throw metItself();
    }
    this.#doing = 'while sending';
    if (this.#prelude.length > 0) await this.write(this.#prelude);
  }

  /**
   * Puts TLS on the connection. Bytes that came in clear before are an attempt to slip something
   * in (CVE-2021-23222), so they are a failure.
   */
  async startTls(options: ProbeTls): Promise<TLSSocket> {
    if (this.unread.length > 0) throw new Failed('wrong-answer', 'data before the TLS handshake');
    const chosen = await tlsOptions(options, this.#host, this.#signal);
    this.#check();
    this.#doing = 'in the TLS handshake';
    this.#raw.off('readable', this.#readable);
    const secure = connectTls({ ...chosen, socket: this.#raw });
    this.#socket = secure;
    this.#watch(secure, 'tls');
    await this.#done((done) => secure.once('secureConnect', done));
    return secure;
  }

  /** Sends; resolves when the kernel has taken the bytes. */
  write(bytes: Uint8Array | string): Promise<void> {
    this.#doing = 'while sending';
    return this.#done((done) => this.#socket.write(bytes, done));
  }

  /** The next `bytes` bytes. `what` names them in a failure: "the greeting". */
  async take(bytes: number, what: string): Promise<Buffer> {
    while (this.unread.length < bytes) {
      if (!(await this.more(what))) throw new Failed('closed-early', `closed before ${what}`);
    }
    return this.skip(bytes);
  }

  /** The next line without its end (LF or CR LF), a character a byte. */
  async takeLine(what: string): Promise<string> {
    let at = this.unread.indexOf(LINE_FEED);
    while (at < 0) {
      const searched = this.unread.length;
      if (!(await this.more(what))) throw new Failed('closed-early', `closed before ${what}`);
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
      const chunk: Buffer | null = this.#socket.read();
      if (chunk !== null) {
        if (this.#inbox.append(chunk)) return true;
        throw new Failed('too-much-data', `more than ${MAX_ANSWER_BYTES} bytes of answer`);
      }
      if (this.#ended) return false;
      await this.#change();
    }
  }

  /**
   * Sends `goodbye` and FIN: many servers log a reset, but not an end in order. The verdict is
   * known by then, so that nothing which goes wrong here counts.
   */
  async finish(goodbye: Uint8Array | string = NOTHING): Promise<void> {
    let done = false;
    this.#socket.end(goodbye, () => {
      done = true;
      this.#wake();
    });
    while (!done && !this.#raw.closed && this.#failure === null) await this.#change();
  }

  /** Closes what is still open; resolves when the descriptor is free. */
  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#aborted);
    this.#socket.destroy();
    this.#raw.destroy();
    if (!this.#raw.closed) await new Promise((resolve) => this.#raw.once('close', resolve));
  }

  #watch(socket: Socket, otherwise: ProbeFailure): void {
    const ended = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('error', (error) => this.#fail(socketFailure(error, otherwise)));
    socket.on('readable', this.#readable);
    socket.on('end', ended);
    socket.on('close', ended);
  }

  /** Starts an operation and waits until it has called back, or throws what went wrong. */
  async #done(start: (done: () => void) => void): Promise<void> {
    this.#check();
    let done = false;
    start(() => {
      done = true;
      this.#wake();
    });
    while (!done && !this.#raw.closed) {
      await this.#change();
      this.#check();
    }
    if (!done) throw new Failed('closed-early', `closed ${this.#doing}`);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  #fail(failure: Failed | BacklogFull): void {
    this.#failure ??= failure;
    this.#socket.destroy();
    this.#raw.destroy();
    this.#wake();
  }
}

function isToItself(socket: Socket): boolean {
  const { localPort, localAddress } = socket;
  if (localPort === undefined || localPort !== socket.remotePort) return false;
  return localAddress === socket.remoteAddress;
}
