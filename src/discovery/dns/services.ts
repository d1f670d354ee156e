/** SRV records (RFC 2782) as members: priorities become tiers, weights those of sluice. Pure. */
import type { DnsRecord } from './wire.js';

export interface Service {
  readonly target: string;
  readonly port: number;
  /** 1 to 1000 */
  readonly weight: number;
  /** Of a priority above the lowest. */
  readonly backup: boolean;
}

const MAX_WEIGHT = 1_000;

/**
 * Weights up to 1000 stay as they are, larger ones shrink together. A weight of 0 asks for little,
 * not for nothing (RFC 2782, page 4): it becomes 1. A target of "." says that there is no service.
 */
export function scaledServices(records: readonly DnsRecord[]): readonly Service[] {
  const listed = records.flatMap((record) =>
    record.type === 'SRV' && record.target !== '' && record.port > 0 ? [record] : [],
  );
  const lowest = Math.min(...listed.map(({ priority }) => priority));
  const largest = Math.max(...listed.map(({ weight }) => weight));
  const scale = largest > MAX_WEIGHT ? MAX_WEIGHT / largest : 1;
  return listed.map(({ target, port, weight, priority }) => ({
    target,
    port,
    weight: Math.max(1, Math.round(weight * scale)),
    backup: priority > lowest,
  }));
}
