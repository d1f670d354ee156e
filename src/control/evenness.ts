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
import { median } from '../pool/latency_window.js';
import type { Ledger } from '../pool/ledger.js';
import type { BackendEntry, Inventory } from './inventory.js';
import { LatencyWindow } from './latency_windows.js';
import type { PoolNow } from './pool_now.js';

const WINDOW_MS = 30_000;
/** Backends that are read at one look: two milliseconds. */
const READ_A_LOOK = 512;

const DIALS = Object.values(DIAL_COLUMN);
const ENDS = Object.values(CAUSE_COLUMN);

/** What one backend had in the last window; null: too little to say. */
interface Figures {
  readonly firstByteMs: number | null;
  /** Of dials and sessions there, 0 to 1. */
  readonly failures: number | null;
}

const NOTHING: Figures = { firstByteMs: null, failures: null };

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

  /** To be called once a second at least. */
  look(nowMs: number): void {
    if (this.#unread.length === 0 && nowMs >= this.#nextMs) {
      this.#nextMs = nowMs + WINDOW_MS;
      this.#unread = [...this.#deps.inventory.backends()];
    }
    for (const entry of this.#unread.splice(-READ_A_LOOK)) this.#read(entry);
  }

  /** An idle backup is not among them: it has nothing as it should, and would be the median. */
  of({ members, standing }: Pick<PoolNow, 'members' | 'standing'>): Evenness {
    const { ledger } = this.#deps;
    const usable = members.filter(
      ({ id }, index) => isUsable(ledger, id) && standing.reasons[index] !== 'backup',
    );
    const loads = usable.map(({ id }) => ledger.active(id) / ledger.weight(id));
    const figures = usable.map((entry) => this.#figures.get(entry) ?? NOTHING);
    const names = usable.map(({ spec }) => spec.name);
    return {
      load: spreadOf(names, loads),
      firstByteMs: spreadOf(
        names,
        figures.map(({ firstByteMs }) => firstByteMs),
      ),
      failures: spreadOf(
        names,
        figures.map(({ failures }) => failures),
      ),
    };
  }

  #read(entry: BackendEntry): void {
    const { firstByte } = this.#window.next(entry.id);
    const now = this.#count(entry.id);
    const before = this.#counts.get(entry) ?? now;
    this.#counts.set(entry, now);
    const tried = now.tried - before.tried;
    this.#figures.set(entry, {
      firstByteMs: firstByte?.medianMs ?? null,
      failures: tried <= 0 ? null : Math.min(1, (now.failed - before.failed) / tried),
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

/** Of those that are known; null when fewer than two are. */
export function spreadOf(
  names: readonly string[],
  values: readonly (number | null)[],
): Spread | null {
  const known = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  const middle = median(known.map(({ value }) => value));
  if (middle === null || known.length < 2) return null;
  const greatest = known.reduce((most, one) => (one.value > most.value ? one : most));
  return { greatest: greatest.value, median: middle, backend: names[greatest.index] ?? '' };
}
