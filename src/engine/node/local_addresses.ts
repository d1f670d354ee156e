/** The addresses of this machine's interfaces, as far as they can be listed one by one. */
import { networkInterfaces } from 'node:os';
import { err, ok, type Result } from '../../core/result.js';
import { asked } from './failure.js';

export interface LocalAddress {
  /** Without a zone. */
  readonly host: string;
  /** As node:dgram wants it: a link-local IPv6 address carries its interface (RFC 4007, 11). */
  readonly zonedHost: string;
  /** The interface's number where `zonedHost` has a zone, else 0. */
  readonly scopeId: number;
}

/** The kernel is asked through a socket: a process without a descriptor gets no answer. */
export function localAddresses(family: 4 | 6): Result<readonly LocalAddress[], string> {
  const wanted = family === 4 ? 'IPv4' : 'IPv6';
  const interfaces = asked(networkInterfaces);
  if (!interfaces.ok) return interfaces;
  const listed = Object.entries(interfaces.value).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter((address) => address.family === wanted)
      .map((address) => {
        const scopeId = 'scopeid' in address ? (address.scopeid ?? 0) : 0;
        const host = address.address;
        return { host, zonedHost: scopeId === 0 ? host : `${host}%${name}`, scopeId };
      }),
  );
  return ok(listed);
}

/** `host` with the name of the interface `scopeId`, where it is link-local (fe80::/10). */
export function zoned(host: string, scopeId: number): Result<string, string> {
  if (scopeId === 0 || !/^fe[89ab]/.test(host)) return ok(host);
  const listed = localAddresses(6);
  if (!listed.ok) return err(listed.error);
  const known = listed.value.find((address) => address.scopeId === scopeId);
  const zone = known?.zonedHost.split('%')[1];
  return ok(zone === undefined ? host : `${host}%${zone}`);
}
