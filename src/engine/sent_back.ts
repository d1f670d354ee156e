/**
 * What is counted as handed to a backend, and came back: ICMP says so after the socket has taken
 * it, once for several datagrams, and neither which nor how long they were. The one that was sent
 * last is taken for it. The session counts each as dropped, so that a datagram is counted once.
 */
import type { UdpEngine } from '../session/udp_port.js';

export function takeBack(
  { bytesIn, datagramsIn }: Pick<UdpEngine, 'bytesIn' | 'datagramsIn'>,
  flow: number,
  lastBytes: number,
): void {
  const datagrams = datagramsIn[flow] ?? 0;
  if (datagrams === 0) return;
  datagramsIn[flow] = datagrams - 1;
  bytesIn[flow] = Math.max(0, (bytesIn[flow] ?? 0) - lastBytes);
}
