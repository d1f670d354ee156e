/** Which route a client would take, and why: for explanations. Pure. */
import { parseServerName } from '../config/server_name.js';
import type { Peer } from '../core/endpoint.js';
import { type RouteFacts, Routes } from '../core/routes.js';
import type { ListenerSpec, RouteConditions } from '../core/spec.js';

/** What a user says of a client; what is not said, the client does not say either. */
export interface Told {
  readonly serverName?: string | undefined;
  /** With commas between them. */
  readonly alpn?: string | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly application?: string | undefined;
}

export interface RouteChoice {
  /** null: the client is refused. */
  readonly pool: string | null;
  readonly sentence: string;
}

/** What no client can say together, as part of a sentence; null: one can say all of it. */
export function contradictionIn(told: Told): string | null {
  const { serverName, alpn, database, user, application } = told;
  if (!(serverName || alpn) || !(database || user || application)) return null;
  return (
    'no client says both: a server name or protocol comes in a TLS hello, and behind TLS no ' +
    'database, user or application can be read'
  );
}

export function askingOf(client: Peer, told: Told): RouteFacts {
  const { serverName = '', alpn = '', user = null } = told;
  const name = parseServerName(serverName);
  return {
    client,
    // What is no name of a server fits no route, as it does when a client says it.
    serverName: serverName === '' ? null : name.ok ? name.value : serverName,
    alpn: alpn === '' ? [] : alpn.split(',').map((protocol) => protocol.trim()),
    database: told.database || user,
    user,
    application: told.application ?? null,
  };
}

export function routeOf({ pool, routes }: ListenerSpec, asking: RouteFacts): RouteChoice {
  const index = new Routes(routes).find(asking);
  const route = routes[index];
  const goal = leads(route === undefined ? pool : route.pool);
  if (route !== undefined) {
    const sentence = `routes[${index}] fits, ${conditionsOf(route.conditions)}: ${goal}.`;
    return { pool: route.pool, sentence };
  }
  const why =
    routes.length === 0
      ? 'The listener has no routes'
      : `None of its routes fits (${routes.length})`;
  return { pool, sentence: `${why}: ${goal}.` };
}

function leads(pool: string | null): string {
  return pool === null ? 'the client is refused' : `the client goes to pool ${pool}`;
}

const WORDS = {
  serverNames: 'server_name',
  alpn: 'alpn',
  clients: 'client',
  databases: 'database',
  users: 'user',
  applications: 'application',
} as const satisfies Record<keyof RouteConditions, string>;

function conditionsOf(conditions: RouteConditions): string {
  const keys = Object.keys(WORDS) as (keyof RouteConditions)[];
  const words = keys.filter((key) => conditions[key].length > 0).map((key) => WORDS[key]);
  return words.length === 0 ? 'as it fits every session' : `by ${words.join(', ')}`;
}
