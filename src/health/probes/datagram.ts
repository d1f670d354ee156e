/**
 * One exchange of datagrams: a connected socket, so that it receives only from the backend and ICMP
 * errors arrive; ends by the attempt's signal and resolves when the socket is closed.
 */

import { createSocket, type Socket } from 'node:dgram';
import type { CutOffSignal } from '../../core/cut_off.js';
import type { ProbeResult, ProbeTarget } from '../probe.js';
import { failureResult, metItself, ProbeFailed, socketFailure } from './failed.js';

/** Datagrams that are not the answer: one more, and this is a flood. */
const MAX_STRAY_DATAGRAMS = 64;

export interface DatagramExchange {
  readonly payload: Uint8Array;
  /**
   * What a datagram means: an outcome, or null for one that is not the answer. May throw Failed.
   */
  answered(datagram: Buffer): ProbeResult | null;
  /** What silence until the end of the time means. */
  silence(): ProbeResult;
}

/** Sends the prelude and the payload as one datagram and waits for what comes. */
export async function exchangeDatagrams(
  target: ProbeTarget,
  signal: CutOffSignal,
  talk: DatagramExchange,
): Promise<ProbeResult> {
  const { endpoint, source = null, prelude } = target;
  if (endpoint.kind === 'unix') {
    return failureResult(new ProbeFailed('unreachable', 'a path cannot be probed by datagrams'));
  }
  const socket = createSocket({
    type: endpoint.family === 4 ? 'udp4' : 'udp6',
    // The host is an address already: no need to ask the resolver's threads.
    lookup: (host, _options, found) => found(null, host, endpoint.family),
  });
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  let abort = (): void => {};
  try {
    return await new Promise<ProbeResult>((resolve, reject) => {
      abort = () => resolve(talk.silence());
      signal.addEventListener('abort', abort);
      if (signal.aborted) return abort();
      listen(socket, talk, resolve, reject);
      const datagram = Buffer.concat([prelude, talk.payload]);
      socket.once('connect', () => {
        // An abort may come between the call and the event.
        if (signal.aborted) return;
        if (isToItself(socket)) reject(metItself());
        else socket.send(datagram);
      });
      // Bound by itself first: after a bind inside of connect that fails, Node.js never closes.
      socket.once('listening', () => socket.connect(endpoint.port, endpoint.host));
      socket.bind({
        port: 0,
        exclusive: true,
        ...(source === null ? {} : { address: source.host }),
      });
    });
  } catch (error) {
    return failureResult(error);
  } finally {
    signal.removeEventListener('abort', abort);
    socket.close();
    await closed;
  }
}

function listen(
  socket: Socket,
  talk: DatagramExchange,
  resolve: (result: ProbeResult) => void,
  reject: (error: Error) => void,
): void {
  let strays = 0;
  socket.on('error', (error) => reject(socketFailure(error, 'unreachable')));
  socket.on('message', (datagram) => {
    try {
      const result = talk.answered(datagram);
      if (result !== null) resolve(result);
      else if (++strays > MAX_STRAY_DATAGRAMS) {
        throw new ProbeFailed('too-much-data', `${strays} datagrams that answer nothing`);
      }
    } catch (error) {
      reject(error as Error);
    }
  });
}

function isToItself(socket: Socket): boolean {
  const [local, remote] = [socket.address(), socket.remoteAddress()];
  return local.port === remote.port && local.address === remote.address;
}

/** The usual meaning of silence. */
export function timedOut(what: string): ProbeResult {
  return { ok: false, failure: 'timeout', detail: `timed out waiting for ${what}` };
}
