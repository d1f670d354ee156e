/**
 * When is something in a new file the same as before? What a reload announces, keeps and counts
 * room for must agree on it. Names hold no slash, and no `@`.
 */
import { type Address, formatAddress } from './endpoint.js';
import type { ListenerSpec } from './spec.js';

/**
 * Names of backends. Long enough for "unix:" and a path of 107 bytes, the longest default. Not `*`
 * alone: an order for `POOL/*` is for all of a pool.
 */
export const BACKEND_NAME_PATTERN = /^(?!\*$)[\x21-\x7e]{1,128}$/;

/**
 * The pool of which `name` means all backends, `POOL/*`; null: it means one. A name of a pool holds
 * no slash, and one of a backend may: `pg/unix:/run/*` is a backend.
 */
export function poolOfAll(name: string): string | null {
  return /^([^/]+)\/\*$/.exec(name)?.[1] ?? null;
}

/** A listener whose protocol changes is another listener. */
export function listenerKey({ protocol, name }: Pick<ListenerSpec, 'protocol' | 'name'>): string {
  return `${protocol}/${name}`;
}

/** A backend of a pool whose address changes is another backend. */
export function backendKey({ name }: { readonly name: string }, address: Address): string {
  return `${name}@${formatAddress(address)}`;
}
