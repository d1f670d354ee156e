/** The states of a pair, each with the sentence that is true in it, and what a pair is part of. */
import { unreachable } from '../../core/assert.js';
import type { BacklogWaiters } from '../../core/backlog.js';
import type { PairId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { PairEnd, TcpEdges } from '../../session/tcp_port.js';
import type { SelfDials, Suspect } from '../self_dials.js';
import type { Ending, EndingDeps } from './ending.js';
import type { Link } from './socket.js';
import type { Standstill } from './standstill.js';

export type Side = 'client' | 'backend';

export interface BackendLink extends Link {
  readonly prelude: Uint8Array | null;
  /** What may be connected to itself. */
  readonly suspect: Suspect | null;
}

export type PairState =
  /** The client's first bytes are reported until the session is content with them. */
  | { readonly kind: 'early'; readonly limitBytes: number }
  /** The client's bytes are held; nothing is dialled. */
  | { readonly kind: 'waiting' }
  /** The client's bytes are held; `backend` is connecting. */
  | { readonly kind: 'dialling'; readonly backend: BackendLink }
  /** The client's bytes are held; `backend` is connected and its bytes are not looked at. */
  | { readonly kind: 'dialled'; readonly backend: BackendLink }
  /** Bytes flow. `first` is the side whose FIN came first. */
  | { readonly kind: 'relaying'; readonly backend: BackendLink; readonly first: Side | null }
  /** No edge but `closed` will come; what is still read is dropped. */
  | { readonly kind: 'ending'; readonly ending: Ending };

/** What a pair needs of the engine that it belongs to. */
export interface PairHost extends EndingDeps {
  readonly clock: Clock;
  readonly edges: TcpEdges;
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly standstill: Standstill;
  readonly selfDials: SelfDials;
  /** Dials to unix sockets whose backlog is full. */
  readonly waiters: BacklogWaiters;
  /** null: foreign calls do not work here. */
  readonly kernel: Kernel | null;
  /** A socket was opened: the last descriptor may be gone. */
  descriptorTaken(): void;
  /** A socket could not be opened for want of a descriptor. */
  descriptorMissing(): void;
  /** All sockets of the pair are closed: report `closed`, then free its number. */
  release(pair: PairId, end: PairEnd): void;
}

/** The sockets that a pair has in `state`. */
export function linksOf(client: Link, state: PairState): readonly Link[] {
  return 'backend' in state ? [client, state.backend] : [client];
}

/** How a pair whose sockets are all closed has ended. */
export function endOf(state: PairState): PairEnd {
  switch (state.kind) {
    case 'ending':
      return state.ending.end;
    case 'relaying':
      // A peer whose FIN was not seen went without one.
      return state.first === null
        ? { kind: 'reset', by: 'client' }
        : { kind: 'finished', first: state.first };
    case 'early':
    case 'waiting':
    case 'dialling':
    case 'dialled':
      return { kind: 'client-gone' };
    default:
      return unreachable(state);
  }
}
