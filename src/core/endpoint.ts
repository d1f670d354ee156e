/**
 * Where a socket is bound to or connects to, after names were resolved. Endpoints are immutable
 * and made once a backend, so an engine may cache what it derives from one by identity.
 */
export interface IpEndpoint {
  readonly kind: 'ip';
  readonly family: 4 | 6;
  /** Canonical text: RFC 5952 for IPv6, no brackets, no zone. */
  readonly host: string;
  /** 0 to 65535; 0 only where a free port is wanted. */
  readonly port: number;
}

export interface UnixEndpoint {
  readonly kind: 'unix';
  /** Absolute path, at most 107 bytes (unix(7): sun_path). */
  readonly path: string;
}

export type Endpoint = IpEndpoint | UnixEndpoint;

/** A backend's address as the file has it: a name is resolved, and resolved again, by control. */
export type Address =
  | Endpoint
  | { readonly kind: 'name'; readonly host: string; readonly port: number };

export function ipEndpoint(family: 4 | 6, host: string, port: number): IpEndpoint {
  return { kind: 'ip', family, host, port };
}

/** `10.0.0.1:53`, `[::1]:53`, `unix:/run/x.sock`, `db.example:5432`: as in the configuration. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.kind === 'ip' && address.family === 6
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

export function sameAddress(a: Address, b: Address): boolean {
  return formatAddress(a) === formatAddress(b);
}

/** All addresses of the machine: `0.0.0.0` or `::`. */
export function isWildcard(endpoint: Endpoint): boolean {
  return endpoint.kind === 'ip' && (endpoint.host === '0.0.0.0' || endpoint.host === '::');
}
