/**
 * How even a pool is: the greatest and the median of what its backends have, because an average
 * hides the one backend that is slow or full. Latency and failures are those of a window of half a
 * minute; windows are read a part at a time, so that thousands of backends hold up nothing.
 */
import type { Evenness, Spread } from '../admin/views.js';
import type { BackendId } from '../core/brand.js';
import type { SeriesReader } from '../core/series.js';
import { CAUSE_COLUMN, DIAL_COLUMN, PLAIN_COLUMN } from '../core/series_layout.js';
import { isUsable } from '../pool/eligibility.js';
import type { Ledger } from '../pool/ledger.js';
import type { BackendEntry, Inventory } from './inventory.js';
import { LatencyWindow } from './latency_windows.js';
import type { PoolNow } from './pool_now.js';

const WINDOW_MS = 30_000;
/** Backends that are read at one look: two milliseconds. */
const READ_PER_LOOK = 512;

const DIALS = Object.values(DIAL_COLUMN);
const ENDS = Object.values(CAUSE_COLUMN);

/** What one backend had in the last window; null: too little to say. */
interface Figures {
  readonly firstByteMs: number | null;
  /** Of dials and sessions there, 0 to 1. */
  readonly failures: number | null;
}

/** Dials that failed, and sessions that it reset, of all dials. */
interface Counts {
  readonly failed: number;
  readonly tried: number;
}

export interface EvennessDeps {
  readonly ledger: Ledger;
  readonly series: SeriesReader;
  readonly inventory: Inventory;
}

export class EvennessWatch {
  readonly #deps: EvennessDeps;
  readonly #window: LatencyWindow;
  readonly #counts = new WeakMap<BackendEntry, Counts>();
  readonly #figures = new WeakMap<BackendEntry, Figures>();
  /** Backends of this window that were not read yet. */
  #unread: BackendEntry[] = [];
  #nextMs = 0;

  constructor(deps: EvennessDeps) {
    this.#deps = deps;
    this.#window = new LatencyWindow(deps.series);
  }

  /** To be called once per second at least. */
  look(nowMs: number): void {
    if (this.#unread.length === 0 && nowMs >= this.#nextMs) {
      this.#nextMs = nowMs + WINDOW_MS;
      this.#unread = [...this.#deps.inventory.backends()];
    }
    for (const entry of this.#unread.splice(-READ_PER_LOOK)) this.#read(entry);
  }

  /** An idle backup is not among them: it has nothing as it should, and would be the median. */
  of({ members, standing }: Pick<PoolNow, 'members' | 'standing'>): Evenness {
    const { ledger } = this.#deps;
    const most = members.length;
    const [loads, firstBytes, failures] = [new Values(most), new Values(most), new Values(most)];
    for (let index = 0; index < most; index++) {
      const entry = members[index];
      if (entry === undefined || standing.reasons[index] === 'backup') continue;
      const { id, spec } = entry;
      if (!isUsable(ledger, id)) continue;
      loads.add(ledger.active(id) / ledger.weight(id), spec);
      const figures = this.#figures.get(entry);
      if (figures === undefined) continue;
      firstBytes.add(figures.firstByteMs, spec);
      failures.add(figures.failures, spec);
    }
    return {
      load: loads.spread(),
      firstByteMs: firstBytes.spread(),
      failures: failures.spread(),
    };
  }

  #read(entry: BackendEntry): void {
    const { firstByte } = this.#window.next(entry.id);
    const now = this.#count(entry.id);
    const before = this.#counts.get(entry) ?? now;
    this.#counts.set(entry, now);
    const tried = now.tried - before.tried;
    const failed = now.failed - before.failed;
    this.#figures.set(entry, {
      firstByteMs: firstByte?.medianMs ?? null,
      // A listener that is gone took what it had counted with it.
      failures: tried <= 0 || failed < 0 ? null : Math.min(1, failed / tried),
    });
  }

  #count(backend: BackendId): Counts {
    const { series } = this.#deps;
    let failed = 0;
    let tried = 0;
    for (const { series: row } of series.rowsOf(backend)) {
      let dials = 0;
      for (const column of DIALS) dials += series.value(row, column);
      const resets = series.value(row, CAUSE_COLUMN['backend-reset']);
      let ended = 0;
      for (const column of ENDS) ended += series.value(row, column);
      failed += dials + resets;
      tried += dials + ended + series.value(row, PLAIN_COLUMN.active);
    }
    return { failed, tried };
  }
}

/** What backends have, where it is known: ten thousand are added at a time, and all at rest. */
export class Values {
  readonly #known: Float64Array;
  #count = 0;
  #greatest = Number.NEGATIVE_INFINITY;
  #whose = '';

  /** Of so many backends at most. */
  constructor(most: number) {
    this.#known = new Float64Array(most);
  }

  add(value: number | null, { name }: { readonly name: string }): void {
    if (value === null) return;
    this.#known[this.#count++] = value;
    if (value <= this.#greatest) return;
    this.#greatest = value;
    this.#whose = name;
  }

  /** null: of fewer than two backends something is known. */
  spread(): Spread | null {
    if (this.#count < 2) return null;
    const sorted = this.#known.subarray(0, this.#count).toSorted();
    const upper = sorted[sorted.length >> 1] ?? 0;
    const lower = sorted[(sorted.length - 1) >> 1] ?? 0;
    return { greatest: this.#greatest, median: (lower + upper) / 2, backend: this.#whose };
  }
}
