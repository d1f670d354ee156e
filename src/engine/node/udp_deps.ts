/** What the UDP half of the node engine needs. */
import type { Clock, Timers } from '../../core/clock.js';
import type { Kernel } from '../../kernel/foreign.js';
import type { SelfDials } from '../self_dials.js';
import type { UdpReceiverDeps } from './udp_receiver.js';

export interface NodeUdpDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** null: no foreign calls here, so that a source of kind 'descriptor' cannot be opened. */
  readonly kernel: Kernel | null;
  readonly selfDials: SelfDials;
  /** Default: those of the interfaces. */
  readonly addresses?: UdpReceiverDeps['addresses'];
  /** Called with the datagram socket by which the event loop can be found; null: by none. */
  readonly polls?: (fd: number | null) => void;
}
