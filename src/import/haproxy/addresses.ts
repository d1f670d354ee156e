/** Addresses of HAProxy (section 11 of its manual) as sluice writes them. */
import { parseAddress, parseEndpoint } from '../../config/address.js';
import { ipBytes } from '../../core/ip_bytes.js';

export type Converted<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string };

const no = (why: string): { readonly ok: false; readonly why: string } => ({ ok: false, why });

/** More than a listener may bind; a range that is larger is refused, not cut. */
const MAX_RANGE = 64;

export interface BindAddress {
  readonly endpoint: string;
  /** Null: a UNIX socket. */
  readonly port: number | null;
}

/** Which families `::` is for. */
export type Families = 'both' | 'only 6';

/** One address of a `bind` line: an endpoint for each port and family. */
export function bindAddresses(text: string, families: Families): Converted<readonly BindAddress[]> {
  const path = unixPath(text);
  if (path !== null) return readable([{ endpoint: `unix:${path}`, port: null }]);
  const bare = text.replace(/^(?:ipv4|ipv6)@/, '');
  if (/^[a-z][a-z0-9+]*@/.test(bare))
    return no(`${bare.split('@')[0]}@ addresses have no counterpart in sluice`);
  const colon = bare.lastIndexOf(':');
  if (colon === -1) return no('an address without a port');
  const ports = portRange(bare.slice(colon + 1));
  if (ports === null) return no('not a port, or a range of more than 64');
  const host = bare.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const isSix = text.startsWith('ipv6@');
  const any = (isSix ? host === '' || host === '*' : false) || host === '::';
  const hosts = any
    ? families === 'both' && !isSix
      ? ['0.0.0.0', '[::]']
      : ['[::]']
    : [host === '' || host === '*' ? '0.0.0.0' : bracketed(host)];
  return readable(
    ports.flatMap((port) => hosts.map((one) => ({ endpoint: `${one}:${port}`, port }))),
  );
}

function readable(found: readonly BindAddress[]): Converted<readonly BindAddress[]> {
  const bad = found.find(({ endpoint }) => !parseEndpoint(endpoint).ok);
  return bad === undefined
    ? { ok: true, value: found }
    : no(`${bad.endpoint} is not an address that can be bound (the importer resolves no names)`);
}

/**
 * The address of a server. Without a port, or with one as `+100`, it is that of the listener, if
 * that has only one.
 */
export function serverAddress(
  text: string,
  listenerPort: number | null,
): Converted<{ readonly address: string; readonly usesListenerPort: 'yes' | 'no' }> {
  const path = unixPath(text);
  if (path !== null) return address(`unix:${path}`, 'no');
  const bare = text.replace(/^(?:ipv4|ipv6|tcp4|tcp6|tcp)@/, '');
  if (bare.includes('@'))
    return no(`${bare.split('@')[0]}@ addresses have no counterpart in sluice`);
  const { host, port } = hostAndPort(bare);
  if (/^[0-9]+$/.test(port) && port !== '0') return address(`${bracketed(host)}:${port}`, 'no');
  const offset =
    port === '' || port === '0' ? 0 : /^[+-][0-9]{1,5}$/.test(port) ? Number(port) : null;
  if (offset === null) return no(`${port} is no port`);
  if (listenerPort === null)
    return no('it takes the port of its listener, and that has several or none');
  return address(`${bracketed(host)}:${listenerPort + offset}`, 'yes');
}

function address(
  text: string,
  usesListenerPort: 'yes' | 'no',
): Converted<{ readonly address: string; readonly usesListenerPort: 'yes' | 'no' }> {
  const read = parseAddress(text);
  if (read.ok) return { ok: true, value: { address: text, usesListenerPort } };
  return no(`${text}: ${read.faults[0]?.problem ?? 'no address'}`);
}

/** `[::1]:80`, `::1:80` and `host:80`; the port is empty where there is none. */
function hostAndPort(text: string): { readonly host: string; readonly port: string } {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracket !== null) return { host: bracket[1] ?? '', port: bracket[2] ?? '' };
  if (ipBytes(text)?.length === 16 && !/:[0-9]{2,5}$/.test(text)) return { host: text, port: '' };
  const colon = text.lastIndexOf(':');
  if (colon === -1) return { host: text, port: '' };
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function unixPath(text: string): string | null {
  if (text.startsWith('unix@/')) return text.slice('unix@'.length);
  return text.startsWith('/') ? text : null;
}

function portRange(text: string): readonly number[] | null {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (match === null) return null;
  const from = Number(match[1]);
  const to = Number(match[2] ?? from);
  if (from < 1 || to > 65_535 || to < from || to - from >= MAX_RANGE) return null;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
