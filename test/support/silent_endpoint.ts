/** An address that answers nothing: a connection attempt to it neither succeeds nor fails. */
import type { Endpoint } from '../../src/core/endpoint.js';
import { closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { LOOPBACK, type Peer, startPeer } from './peer.js';

export interface SilentEndpoint {
  readonly endpoint: Endpoint;
  close(): void;
}

/**
 * A socket that nobody accepts from, with its queue filled: the kernel drops further SYNs
 * (listen(2), tcp_abort_on_overflow). Needs foreign calls, since Node.js accepts by itself.
 */
export async function silentEndpoint(at: Endpoint = LOOPBACK): Promise<SilentEndpoint> {
  const kernel = loadKernel();
  if (!kernel.ok) throw new Error(kernel.error);
  const opened = openListeningSocket(kernel.value, {
    local: at,
    protocol: 'tcp',
    reusePort: 'exclusive',
    backlog: 0,
  });
  if (!opened.ok) throw new Error(opened.error.sentence);
  const { fd, local } = opened.value;
  const fillers: Peer[] = [];
  do fillers.push(startPeer(local));
  while (await connectsAtOnce(fillers.at(-1)));
  return {
    endpoint: local,
    close() {
      for (const { socket } of fillers) socket.destroy();
      closeDescriptor(kernel.value, fd);
    },
  };
}

/** On the loopback a connection is there after a turn or two, or not at all. */
async function connectsAtOnce(peer: Peer | undefined): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    if (peer?.socket.connecting === false) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}
