/**
 * Datagram sockets of known number that the event loop polls, one of which is reported: node:dgram
 * does not say which numbers its own sockets have, and by one of them the others are found
 * (mute.ts).
 */
export class Polled {
  readonly #fds = new Set<number>();
  readonly #tell: (fd: number | null) => void;

  constructor(tell: (fd: number | null) => void) {
    this.#tell = tell;
  }

  add(fd: number): void {
    this.#fds.add(fd);
    this.#tellOne();
  }

  /** Before it is closed: its number may be used again at once. */
  remove(fd: number): void {
    this.#fds.delete(fd);
    this.#tellOne();
  }

  #tellOne(): void {
    const [fd = null] = this.#fds;
    this.#tell(fd);
  }
}
