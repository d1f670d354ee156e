/** Which pools a listener of a file leads to: its own, and those of its routes. */
import type { ListenerValue } from '../schema/listener.js';

/** Each once; what is missing or refuses is none. */
export function leadsTo({ pool, routes }: ListenerValue): readonly string[] {
  const all = [...routes.map((route) => route.pool), pool];
  return [...new Set(all.flatMap((name) => name || []))];
}
