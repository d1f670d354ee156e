/** Since when Node.js sets SO_REUSEPORT: the one place that knows. */

/** The first one, for people. */
export const REUSE_PORT_SINCE = 'Node.js 22.12';

/**
 * `version` as in process.versions.node. node:net and node:dgram have `reusePort` from 22.12 and
 * from 23.1 on (their documentation's history of `server.listen` and `createSocket`); older ones
 * ignore it without a word.
 */
export function hasReusePort(version: string = process.versions.node): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
