/** One attempt of a probe, against a scripted backend or a real one. */
import type { Test } from 'tap';
import { type Endpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import type { ProbeResult } from '../../../src/health/probe.js';
import { probeOf } from '../../contract/probe_cases.js';
import { type Certificate, type Step, startTcpPeer } from '../../contract/probe_peers.js';
import { within } from '../../support/deadline.js';

export interface Asked {
  readonly result: ProbeResult;
  /** What the backend received, a character a byte. */
  readonly received: string;
}

/** An attempt against a backend that follows `steps`, over TLS if it has a certificate. */
export async function askScript(
  t: Test,
  spec: ProbeSpec,
  steps: readonly Step[],
  certificate?: Certificate,
): Promise<Asked> {
  const script = certificate === undefined ? { steps } : { steps, certificate };
  const peer = await startTcpPeer(script, 'none');
  t.teardown(() => peer.stop());
  const result = await ask(spec, peer.endpoint);
  const received = await within('the end of the connection', peer.received);
  return { result, received: received.toString('latin1') };
}

/** An attempt at an address; a number is a port of this machine. It is ended by `signal` only. */
export function ask(
  spec: ProbeSpec,
  where: Endpoint | number,
  signal: AbortSignal = new AbortController().signal,
  prelude: Uint8Array = new Uint8Array(0),
): Promise<ProbeResult> {
  const endpoint = typeof where === 'number' ? ipEndpoint(4, '127.0.0.1', where) : where;
  const attempt = probeOf(spec).attempt({ endpoint, prelude }, signal);
  return within('the end of the attempt', attempt);
}

/** `ok`, with share and note, or the failure with its detail: one line to compare. */
export function line(result: ProbeResult): string {
  if (!result.ok) return `${result.failure}: ${result.detail}`;
  return result.share === 1 ? `ok: ${result.note}` : `ok at ${result.share}: ${result.note}`;
}
