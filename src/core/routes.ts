/**
 * Which of a listener's routes a client takes: the first whose conditions all hold. Pure: sessions,
 * explanations and the checks of a file ask here, so that all of them say the same.
 */
import { inBlocks } from './address_block.js';
import type { Peer } from './endpoint.js';
import type { RouteConditions } from './spec.js';

/** What routes look at. null: the client has not sent it, or it was not read. */
export interface RouteFacts {
  readonly client: Peer;
  /** As in a route: in lower case, without a dot at the end. */
  readonly serverName: string | null;
  readonly alpn: readonly string[];
  readonly database: string | null;
  readonly user: string | null;
  readonly application: string | null;
}

/** Fits every session. */
export const EVERY_SESSION: RouteConditions = {
  serverNames: [],
  alpn: [],
  clients: [],
  databases: [],
  users: [],
  applications: [],
};

/** Whether a TLS hello has to be read for these routes. */
export function asksHello(routes: readonly { readonly conditions: RouteConditions }[]): boolean {
  return routes.some(
    ({ conditions: { serverNames, alpn } }) => serverNames.length + alpn.length > 0,
  );
}

/** Whether the start of a Postgres session has to be read for these routes. */
export function asksStart(routes: readonly { readonly conditions: RouteConditions }[]): boolean {
  return routes.some(
    ({ conditions: { databases, users, applications } }) =>
      databases.length + users.length + applications.length > 0,
  );
}

/** Every pool that a listener may lead to, each once and in order; its own comes last. */
export function poolsOf<P>(listener: {
  readonly pool: P | null;
  readonly routes: readonly { readonly pool: P | null }[];
}): readonly P[] {
  const all = [...listener.routes, listener].flatMap(({ pool }) => (pool === null ? [] : [pool]));
  return [...new Set(all)];
}

type Test = (asking: RouteFacts) => boolean;

/** Made once for a list of routes, because blocks and patterns are parsed here. */
export class Routes {
  /** By route, what must hold beside a server name. */
  readonly #tests: readonly (readonly Test[])[];
  /** Those that ask for no server name, in order. */
  readonly #unnamed: readonly number[];
  /** By pattern, the routes that have it: no name is compared with every route. */
  readonly #byName = new Map<string, number[]>();

  constructor(routes: readonly { readonly conditions: RouteConditions }[]) {
    this.#tests = routes.map(({ conditions }) => testsOf(conditions));
    this.#unnamed = routes.flatMap(({ conditions }, index) =>
      conditions.serverNames.length === 0 ? [index] : [],
    );
    for (const [index, { conditions }] of routes.entries()) {
      for (const name of conditions.serverNames) {
        const known = this.#byName.get(name);
        if (known === undefined) this.#byName.set(name, [index]);
        else known.push(index);
      }
    }
  }

  /** The index of the first that fits; -1: none does. */
  find(asking: RouteFacts): number {
    const named = this.#firstNamed(asking);
    for (const index of this.#unnamed) {
      if (index > named) break;
      if (this.#fits(index, asking)) return index;
    }
    return named === Number.POSITIVE_INFINITY ? -1 : named;
  }

  /** Infinity: none of those that ask for a server name fits. */
  #firstNamed(asking: RouteFacts): number {
    let first = Number.POSITIVE_INFINITY;
    if (asking.serverName === null || this.#byName.size === 0) return first;
    for (const pattern of patternsOf(asking.serverName)) {
      const found = this.#byName.get(pattern)?.find((index) => this.#fits(index, asking));
      if (found !== undefined) first = Math.min(first, found);
    }
    return first;
  }

  #fits(index: number, asking: RouteFacts): boolean {
    return this.#tests[index]?.every((test) => test(asking)) === true;
  }
}

/** Every pattern that `name` fits: itself, and `*.` before each of its endings. */
export function patternsOf(name: string): readonly string[] {
  const patterns = [name];
  for (let dot = name.indexOf('.', 1); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    patterns.push(`*${name.slice(dot)}`);
  }
  return patterns;
}

/** In linear space and bounded time: a pattern may have any number of `*`. */
export function fitsGlob(glob: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let from = 0;
  for (let index = 0; index < text.length; ) {
    const wanted = glob[at];
    if (wanted === '*') {
      star = at++;
      from = index;
    } else if (wanted === '?' || wanted === text[index]) {
      at++;
      index++;
    } else if (star === -1) return false;
    else {
      // The last `*` takes one more.
      at = star + 1;
      index = ++from;
    }
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}

function testsOf({ alpn, clients, databases, users, applications }: RouteConditions): Test[] {
  const tests: Test[] = [];
  if (clients.length > 0) {
    const isOne = inBlocks(clients);
    tests.push(({ client }) => isOne(client));
  }
  if (alpn.length > 0) {
    const wanted = new Set(alpn);
    tests.push((asking) => asking.alpn.some((protocol) => wanted.has(protocol)));
  }
  const globs = (list: readonly string[], of: (asking: RouteFacts) => string | null): void => {
    if (list.length === 0) return;
    tests.push((asking) => {
      const text = of(asking);
      return text !== null && list.some((glob) => fitsGlob(glob, text));
    });
  };
  globs(databases, ({ database }) => database);
  globs(users, ({ user }) => user);
  globs(applications, ({ application }) => application);
  return tests;
}
