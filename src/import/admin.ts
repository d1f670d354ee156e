/** The admin address of what is translated. */
import type { Claims } from './claims.js';
import type { Draft } from './draft.js';

const DEFAULT_HTTP = '127.0.0.1:9600';

/** A listener that has the default address of the dashboard goes before it. */
export function writeAdmin(draft: Draft, claims: Claims): void {
  const admin = draft.table(['admin']);
  const holder = claims.holder('tcp', DEFAULT_HTTP);
  if (!admin.has('http') && holder !== null) {
    admin.put('http', '', `off: ${holder} listens at its default address, ${DEFAULT_HTTP}`);
  }
}
