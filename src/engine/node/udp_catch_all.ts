/**
 * A wildcard's own descriptor, read by foreign calls: what comes here was sent to an address that
 * has no socket of its own yet, and IP_PKTINFO says which. The receiver then opens one, and so only
 * the first datagrams to an address come this way: it is enough to look now and then. See
 * docs/adr/0002-udp-replies.md.
 */
import { present } from '../../core/assert.js';
import type { Timer, Timers } from '../../core/clock.js';
import { err, ok, type Result } from '../../core/result.js';
import {
  type AddressedDatagram,
  AddressedReader,
  tellLocalAddresses,
} from '../../kernel/addressed_datagrams.js';
import { closeDescriptor, type Descriptor } from '../../kernel/descriptor.js';
import type { KernelError } from '../../kernel/errno.js';
import type { Kernel } from '../../kernel/foreign.js';

/** How long the first datagram to an unlisted address waits at most. */
const LOOK_MS = 200;
/** Datagrams per look: other work shall not wait for a flood. */
const BATCH = 256;

export interface CatchAllMeans {
  readonly kernel: Kernel;
  readonly timers: Timers;
  /** One for all wildcards of a thread. */
  readonly reader: () => Result<AddressedReader, KernelError>;
}

/** Opens a reader when the first wildcard asks for one, and answers with the same one then on. */
export function oneReader(kernel: Kernel | null): CatchAllMeans['reader'] {
  let known: Result<AddressedReader, KernelError> | null = null;
  return () => {
    if (known?.ok !== true)
      known = AddressedReader.open(present(kernel, 'foreign calls work here'));
    return known;
  };
}

export class CatchAll {
  readonly #kernel: Kernel;
  readonly #timers: Timers;
  readonly #fd: Descriptor;
  readonly #reader: AddressedReader;
  readonly #received: (datagram: AddressedDatagram) => void;
  #timer: Timer;

  private constructor(
    kernel: Kernel,
    timers: Timers,
    fd: Descriptor,
    reader: AddressedReader,
    received: (datagram: AddressedDatagram) => void,
  ) {
    this.#kernel = kernel;
    this.#timers = timers;
    this.#fd = fd;
    this.#reader = reader;
    this.#received = received;
    this.#timer = timers.after(LOOK_MS, this.#look);
  }

  /** Owns `fd` from then on; on a failure (the errno's name) it is closed. */
  static open(
    { kernel, timers, reader }: CatchAllMeans,
    fd: Descriptor,
    family: 4 | 6,
    received: (datagram: AddressedDatagram) => void,
  ): Result<CatchAll, string> {
    const told = tellLocalAddresses(kernel, fd, family);
    const opened = reader();
    if (told.ok && opened.ok) return ok(new CatchAll(kernel, timers, fd, opened.value, received));
    closeDescriptor(kernel, fd);
    return err(told.ok ? 'ENOMEM' : told.error.errno);
  }

  close(): void {
    this.#timer.cancel();
    closeDescriptor(this.#kernel, this.#fd);
  }

  readonly #look = (): void => {
    this.#timer = this.#timers.after(LOOK_MS, this.#look);
    for (let count = 0; count < BATCH; count++) {
      const datagram = this.#reader.read(this.#fd);
      if (datagram === null) return;
      this.#received(datagram);
    }
  };
}
