/** What the listeners of a worker ask of its flows. */
import type { ListenerKey } from '../tcp_port.js';
import type { UdpListener } from './listener.js';

export interface FlowKeeper {
  /** The listener's framing changed: its flows end now. */
  endFlowsOf(listener: UdpListener): void;
  /** That socket closes: its flows end now. */
  endFlowsAt(key: ListenerKey): void;
  /**
   * Another listener or process receives at that socket from now on: its flows end when nothing is
   * owed to their clients. Answers when it may be closed.
   */
  handOverFlowsAt(key: ListenerKey): number;
  /** The listener's timeouts may have changed. */
  rearmFlowsOf(listener: UdpListener): void;
}
