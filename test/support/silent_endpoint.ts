/** An address that answers nothing: a connection attempt to it neither succeeds nor fails. */
import type { Endpoint } from '../../src/core/endpoint.js';
import { adoptDescriptor, closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { LOOPBACK, type Peer, startPeer } from './peer.js';

export interface SilentEndpoint {
  readonly endpoint: Endpoint;
  /**
   * Takes one connection out of the queue and closes it: there is room for another one. False: none
   * was there.
   */
  accept(): boolean;
  close(): void;
}

/**
 * A socket that is never accepted from, with its queue filled: the kernel drops further SYNs
 * (listen(2), tcp_abort_on_overflow), and at a unix socket connect(2) says EAGAIN (unix(7)). Needs
 * foreign calls, since Node.js accepts by itself.
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
  for (;;) {
    const filler = startPeer(local);
    if (!(await connectsAtOnce(filler))) {
      // It would go on trying, and take the place that `accept` makes for another client.
      filler.socket.destroy();
      break;
    }
    fillers.push(filler);
  }
  return {
    endpoint: local,
    accept() {
      const accepted = kernel.value.libc.accept4At(fd, 0, 0, 0);
      if (accepted < 0) return false;
      closeDescriptor(kernel.value, adoptDescriptor(accepted));
      return true;
    },
    close() {
      for (const { socket } of fillers) socket.destroy();
      closeDescriptor(kernel.value, fd);
    },
  };
}

/** On the loopback a connection is there after a turn or two, or not at all. */
async function connectsAtOnce({ socket }: Peer): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    if (socket.destroyed) return false;
    if (!socket.connecting) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}
