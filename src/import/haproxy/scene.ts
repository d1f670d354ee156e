/** What every part of an HAProxy import works on. */
import type { Capabilities } from '../capabilities.js';
import type { Claims } from '../claims.js';
import type { Draft } from '../draft.js';
import type { Names } from '../names.js';
import type { Part } from '../statement.js';
import type { ProxySettings } from './proxy.js';
import type { ResolverSections } from './templates.js';

export interface Globals {
  readonly maxconn: Part | undefined;
  readonly spread: Part | undefined;
}

export interface HaproxyScene {
  readonly draft: Draft;
  readonly has: Capabilities;
  readonly globals: Globals;
  /** How many proxies listen. */
  readonly fronts: number;
  readonly claims: Claims;
  readonly resolvers: ResolverSections;
  /** Of listeners; those of pools stand apart. */
  readonly listenerNames: Names;
  readonly pools: Pools;
}

/** The backends by their names; a pool is written when the first listener asks for it. */
export interface Pools {
  /** Null: there is no such backend, or nothing of it can be translated. */
  pool(backend: string, listenerPort: number | null): ProxyPool | null;
}

export interface ProxyPool {
  readonly name: string;
  readonly proxy: ProxySettings;
}
