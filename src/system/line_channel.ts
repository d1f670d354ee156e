/**
 * Messages over a socket between two processes: one JSON object per line. Anything else is skipped:
 * the other end may be of another version, or another reader may have taken half of a line.
 */
import { Socket } from 'node:net';

export type ChannelMessage = Readonly<Record<string, unknown>>;

/** A state of 16,384 backends and their counters has some megabytes. */
const MAX_LINE_BYTES = 64 * 1_048_576;

export class LineChannel {
  /** The other process has closed its end, or has ended. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #bytes = 0;
  #take: ((message: ChannelMessage) => void) | null = null;
  readonly #early: ChannelMessage[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    // It keeps no process alive by itself.
    socket.unref();
    this.closed = new Promise((resolve) => {
      socket.once('end', () => resolve());
      socket.once('close', () => resolve());
    });
  }

  /** Over a descriptor that was inherited. */
  static over(fd: number): LineChannel {
    return new LineChannel(new Socket({ fd, readable: true, writable: true }));
  }

  /** Resolves when it is with the kernel, or never will be. */
  send(message: ChannelMessage): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#socket.writable) return resolve();
      this.#socket.write(`${JSON.stringify(message)}\n`, () => resolve());
    });
  }

  /** From now on `take` gets every message, those that came before too. */
  each(take: (message: ChannelMessage) => void): void {
    this.#take = take;
    for (const message of this.#early.splice(0)) take(message);
  }

  /** Closes this end. */
  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    let rest = bytes;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#parts.push(rest.subarray(0, end));
      const line = Buffer.concat(this.#parts).toString();
      this.#parts = [];
      this.#bytes = 0;
      rest = rest.subarray(end + 1);
      const message = parse(line);
      if (message === null) continue;
      if (this.#take === null) this.#early.push(message);
      else this.#take(message);
    }
    this.#bytes += rest.length;
    if (this.#bytes > MAX_LINE_BYTES) return this.close();
    this.#parts.push(rest);
  }
}

function parse(line: string): ChannelMessage | null {
  try {
    const message: unknown = JSON.parse(line);
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return null;
    return message as ChannelMessage;
  } catch {
    return null;
  }
}
