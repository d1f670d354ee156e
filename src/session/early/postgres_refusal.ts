/** The message for a Postgres client that was refused after its StartupMessage: psql shows it. */
import type { Cause } from '../../core/outcome.js';

/** 53300 too_many_connections, 57P03 cannot_connect_now, 08004 rejected (appendix A). */
const STATES: Partial<Record<Cause, string>> = {
  'all-full': '53300',
  'queue-full': '53300',
  'queue-timeout': '53300',
  'resource-limit': '53300',
  'too-many-sessions': '53300',
  'too-fast': '53300',
  'no-backend': '57P03',
  'all-down': '57P03',
  'dial-failed': '57P03',
  'no-source-address': '57P03',
  shutdown: '57P03',
};
const REJECTED = '08004';

/** An ErrorResponse (55.7): severity twice, SQLSTATE, and a message with the reason of the log. */
export function errorResponse(cause: Cause): Uint8Array {
  const state = STATES[cause] ?? REJECTED;
  const fields = ['SFATAL', 'VFATAL', `C${state}`, `Msluice does not serve this session: ${cause}`];
  const body = Buffer.from(`${fields.join('\0')}\0\0`, 'latin1');
  const head = Buffer.alloc(5);
  head.write('E', 'latin1');
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}
