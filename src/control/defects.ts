/**
 * What is logged of defects that ended single sessions (by a worker to the main thread), probes and
 * requests. However many there are, the sentences per second are limited; the others are counted.
 */

export interface Defect {
  /** How many of them it is about; the sentence is that of one. */
  readonly count: number;
  readonly listener: string | null;
  /** The sentence, and where it was thrown. */
  readonly detail: string;
}

/** Sentences per second. */
export const DEFECTS_PER_SECOND = 10;
/** Of a sentence and its stack. */
const DETAIL_CHARACTERS = 2_000;

export class Defects {
  readonly #send: (defect: Defect) => void;
  #secondMs = Number.NEGATIVE_INFINITY;
  #sent = 0;
  /** The last one that was not sent, with all those before it. */
  #waiting: Defect | null = null;

  constructor(send: (defect: Defect) => void) {
    this.#send = send;
  }

  report(error: unknown, listener: string | null, nowMs: number): void {
    this.#begin(nowMs);
    const count = 1 + (this.#waiting?.count ?? 0);
    const defect = { count, listener, detail: detailOf(error) };
    if (this.#sent < DEFECTS_PER_SECOND) this.#tell(defect);
    else this.#waiting = defect;
  }

  /** Logs those that waited, when their second is over. */
  flush(nowMs: number): void {
    if (this.#waiting === null) return;
    this.#begin(nowMs);
    if (this.#sent < DEFECTS_PER_SECOND) this.#tell(this.#waiting);
  }

  #begin(nowMs: number): void {
    if (nowMs < this.#secondMs + 1_000) return;
    this.#secondMs = nowMs;
    this.#sent = 0;
  }

  #tell(defect: Defect): void {
    this.#sent++;
    this.#waiting = null;
    this.#send(defect);
  }
}

function detailOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, DETAIL_CHARACTERS);
}
