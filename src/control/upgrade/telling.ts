/**
 * What a process tells the next one of its state, when that one is prepared. No probe begins from
 * then on: what is told of verdicts stays true until the other one goes on with them. Most of it is
 * told while this one still accepts; only what workers may change waits until they have left.
 */
import type { Daemon } from '../daemon.js';
import type { DaemonDeps } from '../daemon_deps.js';
import { backendRecords, passiveRecords } from './backend_records.js';
import { type Channel, sendState, stateLines } from './state_parts.js';

export class Telling {
  readonly #daemon: Pick<Daemon, 'board' | 'inventory' | 'watch'>;
  readonly #clock: DaemonDeps['clock'];

  constructor(
    daemon: Pick<Daemon, 'board' | 'inventory' | 'watch'>,
    { clock }: Pick<DaemonDeps, 'clock'>,
  ) {
    this.#daemon = daemon;
    this.#clock = clock;
  }

  /** Resolves when all of it is with the kernel: the other process reads it meanwhile. */
  begin(channel: Channel): Promise<void> {
    this.#daemon.board.probes.pause();
    return sendState(channel, stateLines('backends', backendRecords(this.#daemon)), turn);
  }

  /** Workers have left the sockets. It is little, and nobody is accepted now: in one go. */
  end(channel: Channel): void {
    this.#daemon.board.look(this.#clock.nowMs());
    const items = passiveRecords(this.#daemon, this.#clock);
    for (const line of stateLines('passive', items)) void channel.send(line);
  }

  /** Nobody takes this one's place. */
  goOn(): void {
    this.#daemon.board.probes.resume();
  }
}

/** Everything else has its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
