/** The messages between the main thread and a worker, and what a worker is started with. */
import type { AccessRecord } from '../core/access.js';
import type { BackendId, PairId, WorkerId } from '../core/brand.js';
import type { PlanPart } from '../core/plan.js';
import type { AnswerPart, Question } from '../core/questions.js';
import type { EngineName } from '../core/spec.js';
import type { CancelOrder, CancelOutcome } from '../session/tcp/deps.js';
import type { EndOrder } from '../session/tcp/ending.js';
import type { ListenOutcome } from '../session/tcp_port.js';
import type { Defect } from './defects.js';

export interface SharedMemory {
  readonly ledger: SharedArrayBuffer;
  readonly series: SharedArrayBuffer;
  /** See client_table.ts. */
  readonly clients: SharedArrayBuffer;
  /** See key_table.ts. */
  readonly keys: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  /** See vitals.ts. */
  readonly vitals: SharedArrayBuffer;
  /** See holdings.ts. */
  readonly holdings: SharedArrayBuffer;
  /** See living_clock.ts. */
  readonly clock: SharedArrayBuffer;
}

export interface WorkerStart {
  readonly worker: WorkerId;
  readonly workers: number;
  readonly engine: EngineName;
  /** TCP pairs, and UDP flows, that this worker may have at a time. */
  readonly capacity: number;
  /** Pipes for bulk data at the same time. */
  readonly pipes: number;
  readonly memory: SharedMemory;
}

export type ToWorker =
  | { readonly kind: 'plan'; readonly part: PlanPart }
  | ({ readonly kind: 'end-sessions' } & EndOrder)
  /** Drains of these backends are over: what has not ended yet stays. */
  | { readonly kind: 'spare-sessions'; readonly backends: readonly BackendId[] }
  /** A stop has begun: what is at rest ends. */
  | { readonly kind: 'finish' }
  /** See questions.ts; `ask` is the number of the question. */
  | { readonly kind: 'ask'; readonly ask: number; readonly question: Question }
  | {
      readonly kind: 'cancelled';
      readonly pair: PairId;
      readonly number: number;
      readonly outcome: CancelOutcome;
    }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'started' }
  | { readonly kind: 'failed'; readonly sentence: string }
  | {
      readonly kind: 'opened';
      readonly socket: number;
      readonly outcome: ListenOutcome;
    }
  | { readonly kind: 'applied'; readonly version: number }
  /** Something has ended its rest, and the main thread rests. */
  | { readonly kind: 'stirs' }
  | { readonly kind: 'access'; readonly records: readonly AccessRecord[] }
  | { readonly kind: 'cancel'; readonly order: CancelOrder }
  /** It took a backend out; which one is in the ledger. */
  | { readonly kind: 'ejected' }
  | { readonly kind: 'access-lost'; readonly count: number }
  /** The engine goes on without a part of it. */
  | { readonly kind: 'degraded'; readonly detail: string }
  /** Sessions that defects ended. */
  | ({ readonly kind: 'internal-error' } & Defect)
  | { readonly kind: 'answer'; readonly ask: number; readonly part: AnswerPart }
  /** Its last part, if it has any: most answers are one message. */
  | { readonly kind: 'answered'; readonly ask: number; readonly part: AnswerPart | null }
  | { readonly kind: 'accept-failed'; readonly socket: number; readonly errno: string };
