/**
 * The host that a request names. A page in a browser of this machine can have its own name lead to
 * 127.0.0.1 (DNS rebinding) and would read everything here; but its Host header then has that name.
 */
import { ipBytes } from '../core/ip_bytes.js';

/** Loopback names and addresses are accepted, and `further` names (lower case). */
export function isAcceptedHost(host: string, further: readonly string[]): boolean {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(host);
  if (bracketed !== null) return ipBytes(bracketed[1] ?? '')?.length === 16;
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
  if (ipBytes(name)?.length === 4) return true;
  return name === 'localhost' || name.endsWith('.localhost') || further.includes(name);
}
