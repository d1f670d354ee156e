/** From the record of a session to its access line. */
import type { AccessRecord } from '../core/access.js';
import type { EventFields } from './events.js';
import { toMicro } from './fields.js';

/** Times are rounded to microseconds: more digits would be noise. */
export function accessFields(record: AccessRecord): EventFields<'session'> {
  return {
    id: record.id,
    protocol: record.protocol,
    listener: record.listener,
    client: record.client,
    local: record.local,
    pool: record.pool,
    backend: record.backend,
    policy: record.policy,
    tried: record.tried,
    queue_ms: rounded(record.queueMs),
    connect_ms: rounded(record.connectMs),
    first_byte_ms: rounded(record.firstByteMs),
    duration_ms: rounded(record.durationMs),
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
    unlogged: record.unlogged,
    left_out: record.leftOut,
    client_rtt_ms: rounded(record.clientPath?.rttMs ?? null),
    client_retransmits: record.clientPath?.retransmits ?? null,
    backend_rtt_ms: rounded(record.backendPath?.rttMs ?? null),
    backend_retransmits: record.backendPath?.retransmits ?? null,
    outcome: record.end,
  };
}

function rounded(milliseconds: number | null): number | null {
  return milliseconds === null ? null : toMicro(milliseconds);
}
