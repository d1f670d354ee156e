/**
 * Keys of Postgres sessions, overheard as servers give them out and noted until the sessions end.
 */
import type { BackendId, PairId, WorkerId } from '../../core/brand.js';
import { type KeyTable, NO_ROOM } from '../../pool/key_table.js';
import { type KeyReader, keyReaderFor } from '../early/key_reader.js';
import type { TcpEngine } from '../tcp_port.js';
import type { TcpSession } from './session.js';

export interface OverheardKeysDeps {
  readonly engine: TcpEngine;
  readonly keys: KeyTable;
  readonly worker: WorkerId;
}

export class OverheardKeys {
  readonly #deps: OverheardKeysDeps;
  /** By pair: of those whose key may still come. */
  readonly #readers: (KeyReader | null)[] = [];
  /** By pair: the slot of its key, and 1; 0: it has none. */
  readonly #slots: Int32Array;

  constructor(deps: OverheardKeysDeps) {
    this.#deps = deps;
    this.#slots = new Int32Array(deps.engine.capacity);
  }

  /** The relay of `session` is about to begin. */
  begin({ facts, face, pair }: TcpSession): void {
    if (facts.postgres === null || face.plan.settings.postgres?.cancel !== 'route') return;
    const reader = keyReaderFor(facts.postgres);
    if (reader === null) return;
    this.#readers[pair] = reader;
    this.#deps.engine.overhear(pair);
  }

  heard({ pair, listener }: TcpSession, backend: BackendId, bytes: Uint8Array): void {
    const heard = this.#readers[pair]?.read(bytes) ?? 'never';
    if (heard === 'more') return;
    this.#readers[pair] = null;
    this.#deps.engine.overhearDone(pair);
    if (heard === 'never') return;
    const slot = this.#deps.keys.note(listener.id, heard, backend, this.#deps.worker);
    if (slot !== NO_ROOM) this.#slots[pair] = slot + 1;
  }

  /** The session of `pair` is over. */
  over(pair: PairId): void {
    this.#readers[pair] = null;
    const slot = this.#slots[pair] ?? 0;
    if (slot === 0) return;
    this.#slots[pair] = 0;
    this.#deps.keys.forget(slot - 1);
  }
}
