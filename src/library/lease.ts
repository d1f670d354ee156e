/** What `pick` gives: a backend, and the duty to say how its use went. */
import type { Lease } from '../pool/selection.js';
import type { Backend } from './entry.js';

/**
 * A reserved place. It must be settled: by `succeeded`, by `failed`, or by the end of a `using`
 * block, which says nothing about the backend. A lease that is forgotten counts for ever, as the
 * garbage collector may come late or never. What comes after the first settlement does nothing.
 */
export class PickedLease implements Backend {
  readonly name: string;
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly #lease: Lease;
  readonly #tookMs: (tookMs: number) => void;
  #state: 'open' | 'settled' = 'open';

  constructor(lease: Lease, { name, address, host, port }: Backend, took: (ms: number) => void) {
    this.name = name;
    this.address = address;
    this.host = host;
    this.port = port;
    this.#lease = lease;
    this.#tookMs = took;
  }

  /** It served. `firstByteMs`: how long it took to answer, for policies that look at latency. */
  succeeded(firstByteMs?: number): void {
    if (!this.#settles()) return;
    if (firstByteMs !== undefined && Number.isFinite(firstByteMs) && firstByteMs >= 0) {
      this.#lease.answered(firstByteMs);
      this.#tookMs(firstByteMs);
    } else this.#lease.answered(0);
    this.#lease.settle('served');
  }

  /** It failed, and that is its fault: enough of these in a row eject it. */
  failed(): void {
    if (this.#settles()) this.#lease.settle('failed');
  }

  [Symbol.dispose](): void {
    if (this.#settles()) this.#lease.settle('neutral');
  }

  #settles(): boolean {
    if (this.#state === 'settled') return false;
    this.#state = 'settled';
    return true;
  }
}
