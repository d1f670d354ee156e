/** Watches listeners: which are full, closing or could not be opened, since when and why. */
import type { ListenerState } from '../admin/views.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../observe/log.js';
import { DESCRIPTORS_PER_FLOW, DESCRIPTORS_PER_SESSION } from '../pool/descriptor_ledger.js';
import type { Ledger } from '../pool/ledger.js';
import { countOfListener } from '../pool/other_processes.js';
import type { ListenerEntry } from './inventory.js';
import { sessionLimit } from './sizing.js';
import { type StateNow, StateTimes } from './state_times.js';

export interface ListenerWatchDeps {
  readonly ledger: Ledger;
  readonly log: Log;
  readonly clock: Clock;
  /** True when sluice stops: then that, and not the file, is why listeners close. */
  readonly isStopping: () => boolean;
  /** What `max_sessions = 0` means. */
  readonly sessionBudget: number;
}

export interface ListenerNow extends StateNow<ListenerState> {
  /** A sentence; '' where the state says all. */
  readonly reason: string;
  /** Sessions that it may have. */
  readonly limit: number;
}

const REASONS = {
  open: '',
  full: 'as many sessions as it may have; TCP clients wait, new UDP flows are shed',
  short: 'the open files that sessions may have are in use (LimitNOFILE); clients wait or are shed',
  closing: 'no longer in the file; its sessions may finish',
  stopping: 'sluice stops; its sessions may finish',
} as const;

export class ListenerWatch {
  readonly #deps: ListenerWatchDeps;
  readonly #times: StateTimes<ListenerEntry, ListenerState>;
  /** By listener: its sockets that could not be opened, and why. */
  readonly #failed = new WeakMap<ListenerEntry, Map<number, string>>();
  /** Those that were reported as full. */
  readonly #full = new WeakSet<ListenerEntry>();

  constructor(deps: ListenerWatchDeps) {
    this.#deps = deps;
    this.#times = new StateTimes(deps.clock);
  }

  /** A worker has opened the socket `key` of `listener`, or could not: `problem`. */
  opened(listener: ListenerEntry, key: number, problem: string | null): void {
    const failed = this.#failed.get(listener) ?? new Map<number, string>();
    if (problem === null) failed.delete(key);
    else failed.set(key, problem);
    this.#failed.set(listener, failed);
    this.now(listener);
  }

  now(listener: ListenerEntry): ListenerNow {
    const { ledger, log, sessionBudget } = this.#deps;
    const { maxSessions, name, protocol } = listener.spec;
    const limit = sessionLimit(maxSessions, sessionBudget);
    // What the next process was given is no session, and says nothing about this one.
    const given = ledger.others.given(countOfListener(listener.id));
    const active = ledger.listenerActive(listener.id) - given;
    const each = protocol === 'tcp' ? DESCRIPTORS_PER_SESSION : DESCRIPTORS_PER_FLOW;
    const isShort = active < limit && ledger.descriptors.free < each;
    const isFull = active >= limit || isShort;
    if (!isFull) this.#full.delete(listener);
    else if (!this.#full.has(listener)) {
      this.#full.add(listener);
      const detail = REASONS[isShort ? 'short' : 'full'];
      log.event('listener-full', { listener: name, limit: isShort ? active : limit, detail });
    }
    const [problem] = this.#failed.get(listener)?.values() ?? [];
    const open = problem !== undefined ? 'failed' : isFull ? 'full' : 'open';
    const state = listener.tenure === 'leaving' ? 'closing' : open;
    const known = state === 'closing' && this.#deps.isStopping() ? 'stopping' : state;
    const why = known === 'full' && isShort ? 'short' : known;
    const reason = why === 'failed' ? (problem ?? '') : REASONS[why];
    return { state, reason, limit, sinceWallMs: this.#times.note(listener, state) };
  }
}
