/**
 * The last good answers as the text of a file. They are answers and no orders: after a restart they
 * serve until the source says otherwise, under the same rules as before it. Pure.
 */

import { readAddress } from '../core/address_text.js';
import { formatAddress } from '../core/endpoint.js';
import { BACKEND_NAME_PATTERN } from '../core/identity.js';
import { isCount, isRecord } from '../core/unknown.js';
import type { Member } from './source.js';

const VERSION = 1;

/** The members of one source of a pool. */
export interface Remembered {
  readonly pool: string;
  readonly source: string;
  readonly members: readonly Member[];
}

export function rememberedText(all: readonly Remembered[]): string {
  const sources = all.map(({ pool, source, members }) =>
    JSON.stringify({ pool, source, members: members.map(toRecord) }),
  );
  const list = sources.length === 0 ? '[]' : `[\n  ${sources.join(',\n  ')}\n]`;
  return `{ "version": ${VERSION}, "sources": ${list} }\n`;
}

/** Reads what `rememberedText` wrote; null: it is no such text. */
export function readRemembered(text: string): readonly Remembered[] | null {
  let all: unknown;
  try {
    all = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(all) || all['version'] !== VERSION || !Array.isArray(all['sources'])) return null;
  const found: Remembered[] = [];
  for (const one of all['sources']) {
    if (!isRecord(one) || !Array.isArray(one['members'])) return null;
    const { pool, source } = one;
    const members = one['members'].map(fromRecord);
    if (typeof pool !== 'string' || typeof source !== 'string') return null;
    if (members.includes(null)) return null;
    found.push({ pool, source, members: members.filter((member) => member !== null) });
  }
  return found;
}

function toRecord({ address, wanted, ...rest }: Member): object {
  return { address: formatAddress(address), ...rest };
}

function fromRecord(raw: unknown): Member | null {
  if (!isRecord(raw)) return null;
  const { name, weight, maxConnections, backup, role } = raw;
  const address = readAddress(String(raw['address']));
  if (!address.ok || typeof backup !== 'boolean') return null;
  if (!isCount(weight) || (maxConnections !== null && !isCount(maxConnections))) return null;
  if (name !== null && !BACKEND_NAME_PATTERN.test(String(name))) return null;
  if (role !== null && role !== 'primary' && role !== 'replica') return null;
  return {
    address: address.value,
    name: name === null ? null : String(name),
    weight,
    maxConnections,
    backup,
    role,
    wanted: 'serve',
  };
}
