/** What adapters need of a balancer, and what all of them are asked for. */
import type { Socket } from 'node:net';
import type { Key } from './client_key.js';
import type { ConnectOptions } from './execute_options.js';
import { known, misfit } from './misfit.js';
import { readPick } from './read_calls.js';

export interface Connects {
  connect(options?: ConnectOptions): Promise<Socket>;
}

export interface AdapterOptions {
  /** What `source-hash` chooses by. */
  readonly key?: Key;
}

/** Said where an adapter is made, not when it first connects. */
export function mustBeBalancer(balancer: unknown): void {
  if (typeof (balancer as Partial<Connects> | null | undefined)?.connect === 'function') return;
  throw misfit('balancer', 'wrong type', 'what createBalancer gives', balancer);
}

/** What each connection is asked with; `also`: further options of the adapter. */
export function connectOptionsOf<O extends AdapterOptions>(
  options: O | undefined,
  also: readonly (keyof O & string)[] = [],
): ConnectOptions {
  const key = known(options, new Set(['key', ...also]))?.key;
  readPick({ key: key as Key });
  return key === undefined || key === null ? {} : { key };
}
