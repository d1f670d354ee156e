/** Dials a backend for a pair; where a unix socket's backlog is full, again until it has room. */
import { FIRST_PAUSE_MS, nextPauseMs } from '../../core/backlog.js';
import type { PairId } from '../../core/brand.js';
import type { Endpoint, IpEndpoint } from '../../core/endpoint.js';
import { isBacklogFull } from './failure.js';
import type { BackendLink, PairHost } from './pair_state.js';
import { dialSocket } from './socket.js';
import { dialFrom } from './source.js';

/** The pair that dials, and what is reported to it. */
export interface Dialler {
  readonly id: PairId;
  /** `backend` has a socket now, whose 'close' will come. */
  readonly begun: (backend: BackendLink) => void;
  /** Whether it still waits for `backend`. */
  readonly dials: (backend: BackendLink) => boolean;
  readonly alone: (work: () => void) => void;
  readonly connected: (backend: BackendLink) => void;
  readonly broke: (backend: BackendLink, error: Error) => void;
  readonly closed: () => void;
}

export interface PairDial {
  readonly target: Endpoint;
  /** null: the kernel chooses. */
  readonly source: IpEndpoint | null;
  readonly prelude: Uint8Array | null;
}

export function connectTo(
  dial: PairDial,
  host: PairHost,
  dialler: Dialler,
  pauseMs = FIRST_PAUSE_MS,
): void {
  const { target, source, prelude } = dial;
  const socket = source === null ? dialSocket(target) : dialFrom(source, target, host.kernel);
  const suspect = host.selfDials.suspect(target, host.clock.nowMs());
  const backend: BackendLink = { socket, kind: target.kind, prelude, suspect };
  dialler.begun(backend);
  socket.on('connect', () => dialler.alone(() => dialler.connected(backend)));
  socket.on('error', (error) => {
    if (!dialler.dials(backend) || !isBacklogFull(target, error)) {
      return dialler.alone(() => dialler.broke(backend, error));
    }
    // Its socket is destroyed already; meanwhile the dial may be given up.
    host.waiters.wait(pauseMs, dialler.id, () => {
      if (!dialler.dials(backend)) return;
      dialler.alone(() => connectTo(dial, host, dialler, nextPauseMs(pauseMs)));
    });
  });
  socket.on('close', () => dialler.closed());
}
