/**
 * Which clients have most of the listeners: what the table knows of clients at listeners with
 * limits, and what the present sessions say of all.
 */
import { blockText, readEndpoint } from '../core/address_text.js';
import type { ListenerId } from '../core/brand.js';
import { hostBytesOf } from '../core/endpoint.js';
import { FirstFew } from '../core/first_few.js';
import { ipText, masked, unmapped } from '../core/ip_bytes.js';
import {
  type ClientSort,
  MAX_SESSIONS_LISTED,
  type SessionFilter,
  type SessionRow,
} from '../core/questions.js';
import { ITEMS_PER_STRETCH } from '../core/stretches.js';
import type { ClientTable } from '../pool/client_table.js';
import type { Inquiries } from './inquiries.js';
import { listSessions } from './session_list.js';

/** IPv6 clients of listeners without limits. */
const USUAL_PREFIX_BITS = 64;
const IPV6_BITS = 128;

export interface ClientView {
  readonly listener: string;
  /** An address, or the block that counts as one. */
  readonly client: string;
  readonly sessions: number;
  /** Of the sessions that are there, both ways. */
  readonly bytes: number;
  /** Attempts per second of late, and refusals; null: its listener has no limits per client. */
  readonly perSecond: number | null;
  readonly refused: number | null;
}

/** What is known of a listener. */
export interface ClientListener {
  readonly name: string;
  /** null: it has no limits for each client. */
  readonly ipv6PrefixBits: number | null;
}

export interface ClientQuery {
  readonly listeners: ReadonlyMap<ListenerId, ClientListener>;
  /** null: all of them */
  readonly listener: string | null;
  readonly sort: ClientSort;
  readonly limit: number;
}

export interface ClientPage {
  readonly clients: readonly ClientView[];
  readonly missing: readonly string[];
}

const ANY: Omit<SessionFilter, 'listener'> = {
  id: null,
  pool: null,
  backend: null,
  client: null,
  olderMs: 0,
  idleMs: 0,
};

export async function listClients(
  inquiries: Inquiries,
  table: ClientTable,
  query: ClientQuery,
): Promise<ClientPage> {
  const { listener, sort, limit } = query;
  const page = await listSessions(inquiries, {
    filter: { ...ANY, listener },
    sort: 'bytes',
    limit: MAX_SESSIONS_LISTED,
    after: null,
  });
  const bySessions = ofSessions(page.rows, query.listeners);
  const first = new FirstFew<ClientView>(limit, (a, b) => comesFirst(a, b, sort));
  let looked = 0;
  for (const { listener: id, address, ...counted } of table.clients(page.nowMs)) {
    if (++looked % ITEMS_PER_STRETCH === 0) await new Promise((next) => setImmediate(next));
    const at = query.listeners.get(id);
    if (at === undefined || (listener !== null && at.name !== listener)) continue;
    const client = textOf(unmapped(address), at.ipv6PrefixBits ?? USUAL_PREFIX_BITS);
    const key = keyOf(at.name, client);
    const bytes = bySessions.get(key)?.bytes ?? 0;
    bySessions.delete(key);
    first.add({ listener: at.name, client, bytes, ...counted });
  }
  for (const view of bySessions.values()) first.add(view);
  const clients: ClientView[] = [];
  for (let one = first.takeLast(); one !== undefined; one = first.takeLast()) clients.unshift(one);
  const more = `only the ${MAX_SESSIONS_LISTED} sessions with most bytes are in bytes`;
  return { clients, missing: page.next === null ? page.missing : [...page.missing, more] };
}

/** By listener and client, what the sessions say. */
function ofSessions(
  rows: readonly SessionRow[],
  listeners: ReadonlyMap<ListenerId, ClientListener>,
): Map<string, ClientView> {
  const prefixes = new Map([...listeners.values()].map((one) => [one.name, one.ipv6PrefixBits]));
  const views = new Map<string, ClientView>();
  for (const { listener, client, bytesIn, bytesOut } of rows) {
    const endpoint = readEndpoint(client);
    if (!endpoint.ok || endpoint.value.kind !== 'ip') continue;
    const prefix = prefixes.get(listener) ?? null;
    const address = unmapped(hostBytesOf(endpoint.value));
    const text = textOf(address, prefix ?? USUAL_PREFIX_BITS);
    const key = keyOf(listener, text);
    const known = views.get(key);
    views.set(key, {
      listener,
      client: text,
      sessions: (known?.sessions ?? 0) + 1,
      bytes: (known?.bytes ?? 0) + bytesIn + bytesOut,
      perSecond: prefix === null ? null : 0,
      refused: prefix === null ? null : 0,
    });
  }
  return views;
}

function keyOf(listener: string, client: string): string {
  return `${listener} ${client}`;
}

/** An address, or the first one of its prefix with that. */
function textOf(address: Uint8Array, ipv6PrefixBits: number): string {
  if (address.length === 4) return ipText(4, address);
  const host = ipText(6, masked(address, ipv6PrefixBits));
  return blockText({ family: 6, host, prefixBits: Math.min(ipv6PrefixBits, IPV6_BITS) });
}

/** The client that has most comes first, and equals are ordered by name: total. */
function comesFirst(a: ClientView, b: ClientView, sort: ClientSort): boolean {
  const by = figureOf(b, sort) - figureOf(a, sort) || b.sessions - a.sessions;
  return by === 0 ? keyOf(a.listener, a.client) < keyOf(b.listener, b.client) : by < 0;
}

function figureOf({ sessions, bytes, perSecond, refused }: ClientView, sort: ClientSort): number {
  switch (sort) {
    case 'sessions':
      return sessions;
    case 'bytes':
      return bytes;
    case 'rate':
      return perSecond ?? 0;
    case 'refused':
      return refused ?? 0;
  }
}
