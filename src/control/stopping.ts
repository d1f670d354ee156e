/**
 * How a daemon comes to its end: at a signal, at a word of the process that has taken its place, or
 * with its last session. What log and service manager are sent about it is here, too.
 */
import type { Log } from '../observe/log.js';
import { systemClock } from '../system/clock.js';
import type { Notifier } from '../system/notify.js';
import type { DaemonSignal } from '../system/signals.js';
import { systemTimers } from '../system/timers.js';
import type { Daemon } from './daemon.js';
import { OVERTIME_MS, type ProcessEnding } from './ending.js';
import type { FileInUse } from './file_in_use.js';
import { Leave } from './leave.js';
import type { SignalInbox } from './signal_inbox.js';
import type { Predecessor } from './upgrade/predecessor.js';

/** What the end may take beside its own limit: the last lines of the log, on a busy machine. */
const LAST_LINES_MS = 10_000;

export interface StoppingDeps {
  readonly log: Log;
  readonly notifier: Notifier;
  readonly inUse: FileInUse;
  readonly daemon: Daemon;
  readonly ending: ProcessEnding;
  /** It may still finish sessions, which end with this process. */
  readonly predecessor: Predecessor | null;
}

export class Stopping {
  readonly #deps: StoppingDeps;
  readonly #leave: Leave;
  /** Resolves when accepting shall end, with the signal; the next one ends the process. */
  readonly asked: Promise<DaemonSignal>;
  #tellAsked: (signal: DaemonSignal) => void = () => {};

  constructor(deps: StoppingDeps) {
    this.#deps = deps;
    this.asked = new Promise((resolve) => {
      this.#tellAsked = resolve;
    });
    const { daemon, ending, predecessor } = deps;
    this.#leave = new Leave({
      timers: systemTimers,
      delayMs: () => (daemon.phase === 'serving' ? this.#limits.leaveDelayMs : 0),
      leaving: (signal, delayMs) => this.#leaves(signal, delayMs),
      stop: (signal) => {
        daemon.announceStop();
        daemon.fleet.broadcast({ kind: 'finish' });
        predecessor?.order({ kind: 'stop' });
        ending.begin(this.#limits.shutdownTimeoutMs);
        this.#tellAsked(signal);
      },
    });
  }

  /** Takes the signals from now on; `reload` gets those that ask for one. */
  follow(inbox: SignalInbox, reload: (signal: DaemonSignal) => void): void {
    inbox.open((signal, effect) => {
      if (effect === 'nothing') this.#deps.log.event('signal-ignored', { signal });
      else if (effect === 'reload') reload(signal);
      else this.#leave.signal(signal);
    });
  }

  /** As at SIGTERM. */
  ask(): void {
    this.#leave.signal('SIGTERM');
  }

  /** `signal` null: another process serves, and the last session has ended. */
  async run(signal: DaemonSignal | null): Promise<void> {
    const { daemon, ending, log, notifier, predecessor } = this.#deps;
    const startedMs = systemClock.nowMs();
    const limitMs = this.#limits.shutdownTimeoutMs;
    if (signal === null) ending.begin(limitMs);
    else {
      this.#tellStop(0);
      notifier.status('sessions may finish');
      const sessions = daemon.sessions();
      log.event('stopping', { signal, sessions, limit_ms: limitMs });
    }
    ending.waitsFor('sessions, workers, probes and lookups');
    const { cut } = await daemon.stop();
    if (daemon.handover.isDone) log.event('left', { pid: process.pid, sessions: cut });
    else {
      log.event('stopped', { sessions: cut, duration_ms: systemClock.nowMs() - startedMs });
      ending.waitsFor('sessions of the process before this one');
      await predecessor?.gone;
    }
  }

  get #limits() {
    return this.#deps.inUse.spec.daemon;
  }

  #leaves(signal: DaemonSignal, delayMs: number): void {
    const { daemon, log, notifier } = this.#deps;
    daemon.life.leave(delayMs);
    this.#tellStop(delayMs);
    notifier.status('not ready any more; clients are still accepted');
    log.event('leaving', { signal, sessions: daemon.sessions(), delay_ms: delayMs });
  }

  /** `delayMs`: before sessions may finish. */
  #tellStop(delayMs: number): void {
    const { notifier } = this.#deps;
    notifier.stopping();
    notifier.extend(delayMs + this.#limits.shutdownTimeoutMs + OVERTIME_MS + LAST_LINES_MS);
  }
}
