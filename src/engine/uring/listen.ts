/** How a worker comes to its listening socket: handed over by control, or bound by itself. */
import type { Endpoint } from '../../core/endpoint.js';
import type { ListenSource } from '../../core/plan.js';
import { err, ok, type Result } from '../../core/result.js';
import { adoptDescriptor, type Descriptor } from '../../kernel/descriptor.js';
import type { Kernel } from '../../kernel/foreign.js';
import { openListeningSocket } from '../../kernel/sockets.js';
import type { ListenOutcome } from '../../session/tcp_port.js';

export interface OpenSocket {
  readonly fd: Descriptor;
  readonly local: Endpoint;
}

/** The descriptor to serve, or the outcome that the session is told. `backlog` is for tcp. */
export function listenOn(
  kernel: Kernel,
  source: ListenSource,
  protocol: 'tcp' | 'udp',
  backlog: number,
): Result<OpenSocket, ListenOutcome> {
  if (source.kind === 'descriptor') {
    return ok({ fd: adoptDescriptor(source.fd), local: source.local });
  }
  const { local, reusePort } = source;
  const opened = openListeningSocket(kernel, { local, protocol, reusePort, backlog });
  if (opened.ok) return opened;
  const { errno, sentence } = opened.error;
  return err({ ok: false, errno, sentence });
}
