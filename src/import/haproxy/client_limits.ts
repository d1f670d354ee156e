/**
 * `tcp-request connection reject if { sc0_conn_cur gt N }`: what one client may have, counted in a
 * stick-table by its address. Rates count refused attempts too, which those of sluice do not.
 */

import { wholeNumber } from '../bounds.js';
import type { Statement } from '../statement.js';
import type { ProxySettings } from './proxy.js';

export interface ClientLimit {
  /** Sessions of one client at the same time. */
  readonly sessions: number;
  /** All that says so. */
  readonly statements: readonly Statement[];
}

const FETCH = /^(?:sc([0-9]+)_conn_cur|sc_conn_cur\(([0-9]+)\)|src_conn_cur)$/;

/** null: `statement` says something else, or counts otherwise. */
export function clientLimit(proxy: ProxySettings, statement: Statement): ClientLimit | null {
  const [, , action, condition, open, fetch = '', compared, most = '', close, ...more] =
    statement.values(0);
  const isBare = condition === 'if' && open === '{' && close === '}' && more.length === 0;
  const named = FETCH.exec(fetch);
  const number = wholeNumber(most);
  if (action !== 'reject' || !isBare || named === null || number === null) return null;
  const sessions = compared === 'gt' ? number : compared === 'ge' ? number - 1 : 0;
  const table = proxy.setting('stick-table')?.statement;
  const track = proxy.all('tcp-request').find((one) => tracks(one, named[1] ?? named[2]));
  if (sessions < 1 || table === undefined || !countsSessions(table) || track === undefined) {
    return null;
  }
  return { sessions, statements: [statement, track, table] };
}

/** By address, and the sessions that are there. */
function countsSessions(table: Statement): boolean {
  const words = table.values(1);
  const after = (word: string): string => words[words.indexOf(word) + 1] ?? '';
  const isByAddress = words.includes('type') && ['ip', 'ipv6'].includes(after('type'));
  return isByAddress && words.includes('store') && after('store').split(',').includes('conn_cur');
}

/** `tcp-request connection track-sc0 src` for all clients, in the proxy's own table. */
function tracks(statement: Statement, counter: string | undefined): boolean {
  const [, , action = '', what, ...more] = statement.values(0);
  const tracked = /^track-sc([0-9]+)$/.exec(action)?.[1];
  const isIt = tracked !== undefined && (counter === undefined || tracked === counter);
  return isIt && what === 'src' && more.length === 0;
}
