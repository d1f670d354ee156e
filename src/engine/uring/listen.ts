/** How a worker comes to its listening socket: a duplicate of control's, or bound by itself. */
import type { Endpoint } from '../../core/endpoint.js';
import type { ListenSource } from '../../core/plan.js';
import { err, ok, type Result } from '../../core/result.js';
import { adoptDescriptor, type Descriptor, duplicate } from '../../kernel/descriptor.js';
import type { Kernel } from '../../kernel/foreign.js';
import { openListeningSocket } from '../../kernel/sockets.js';
import type { ListenOutcome } from '../../session/tcp_port.js';
import { listenSentence } from '../failure.js';

export interface OpenSocket {
  readonly fd: Descriptor;
  readonly local: Endpoint;
}

/**
 * The descriptor to serve, or the outcome that is reported to the session. `backlog` is for tcp.
 */
export function listenOn(
  kernel: Kernel,
  source: ListenSource,
  protocol: 'tcp' | 'udp',
  backlog: number,
): Result<OpenSocket, ListenOutcome> {
  const { local } = source;
  const opened =
    source.kind === 'descriptor'
      ? duplicate(kernel, adoptDescriptor(source.fd))
      : openListeningSocket(kernel, { local, protocol, backlog, reusePort: source.reusePort });
  if (!opened.ok) {
    const { errno } = opened.error;
    return err({ ok: false, errno, sentence: listenSentence(local, errno) });
  }
  return ok(typeof opened.value === 'number' ? { fd: opened.value, local } : opened.value);
}
