/**
 * What every engine promises for UDP (src/session/udp_port.ts), whatever it moves datagrams with.
 * The suite runs on one thread with the engine under test; a blocking engine is pumped by an
 * adapter.
 */
import type { Test } from 'tap';
import type { MakeUdp } from './udp/bench.js';
import { dialledFromContract } from './udp/dialled_from.js';
import { flowsContract } from './udp/flows.js';
import { framingContract } from './udp/framing.js';
import { listeningContract, type UdpAbilities } from './udp/listening.js';
import { relayContract } from './udp/relay.js';
import { sourcesContract } from './udp/sources.js';

export function udpEngineContract(t: Test, make: MakeUdp, abilities: UdpAbilities): void {
  relayContract(t, make);
  flowsContract(t, make);
  dialledFromContract(t, make);
  listeningContract(t, make, abilities);
  framingContract(t, make);
  sourcesContract(t, make);
}
