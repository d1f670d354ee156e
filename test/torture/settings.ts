/** The daemon's file of a program, before and after its edits. */
import type {
  BackendPlan,
  Edit,
  Lines,
  ListenerPlan,
  PoolPlan,
  Program,
  RoutePlan,
} from './program.js';

export interface Settings {
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
}

export interface Places {
  /** `address:port` by backend */
  readonly backends: ReadonlyMap<string, string>;
  /** The folder of UNIX sockets. */
  readonly folder: string;
}

export function edited(settings: Settings, edit: Edit, program: Program): Settings {
  const { listeners, pools } = settings;
  const isThere = (route: RoutePlan): boolean =>
    route.pool === '' || pools.some(({ name }) => name === route.pool);
  switch (edit.edit) {
    case 'lead':
      return {
        pools,
        listeners: listeners.map((one) =>
          one.name === edit.listener && pools.some(({ name }) => name === edit.pool)
            ? { ...one, pool: edit.pool }
            : one,
        ),
      };
    case 'route':
      return {
        pools,
        listeners: listeners.map((one) =>
          one.name === edit.listener ? { ...one, routes: edit.routes.filter(isThere) } : one,
        ),
      };
    case 'remove-listener':
      return { pools, listeners: listeners.filter(({ name }) => name !== edit.listener) };
    case 'remove-backend':
      return withBackends(settings, (backends) =>
        backends.length < 2 ? backends : backends.filter(({ name }) => name !== edit.backend),
      );
    case 'restore-backend':
      return withBackends(settings, (backends, pool) => {
        const known = program.pools.find(({ name }) => name === pool)?.backends ?? [];
        const back = known.filter(({ name }) => name === edit.backend);
        return [...backends.filter(({ name }) => name !== edit.backend), ...back];
      });
    case 'set':
      return {
        listeners,
        pools: pools.map((one) =>
          one.name === edit.pool ? { ...one, lines: { ...one.lines, ...edit.lines } } : one,
        ),
      };
    case 'set-backend':
      return withBackends(settings, (backends) =>
        backends.map((one) =>
          one.name === edit.backend ? { ...one, lines: { ...one.lines, ...edit.lines } } : one,
        ),
      );
  }
}

function withBackends(
  { listeners, pools }: Settings,
  change: (backends: readonly BackendPlan[], pool: string) => readonly BackendPlan[],
): Settings {
  return {
    listeners,
    pools: pools.map((pool) => {
      const backends = change(pool.backends, pool.name);
      return isUsable(backends) ? { ...pool, backends } : pool;
    }),
  };
}

/** A pool none of whose backends has a weight is refused. */
export function isUsable(backends: readonly BackendPlan[]): boolean {
  return backends.some(({ lines }) => lines['weight'] !== 0);
}

export function tomlOf({ listeners, pools }: Settings, places: Places): string {
  return [
    ...listeners.map((one) => listenerText(one, places)),
    ...pools.map((one) => poolText(one, places)),
  ].join('\n');
}

function listenerText(listener: ListenerPlan, places: Places): string {
  const { name, protocol, bind, pool, routes, proxy, lines } = listener;
  const address = bind === 'unix' ? `unix:${places.folder}/${name}.sock` : `${bind}:0`;
  const trusted = proxy === 'trusted' ? ['127.0.0.0/8', '::1'] : ['192.0.2.0/24'];
  return [
    `[listeners.${name}]`,
    `protocol = "${protocol}"`,
    `bind = "${address}"`,
    `pool = "${pool}"`,
    ...(proxy === 'none' ? [] : ['accept_proxy_protocol = true']),
    ...(proxy === 'none' ? [] : [`trusted_proxies = ${JSON.stringify(trusted)}`]),
    ...(routes.length === 0 ? [] : [`routes = [${routes.map(routeText).join(', ')}]`]),
    ...linesOf(lines),
  ].join('\n');
}

function routeText({ client, name, pool }: RoutePlan): string {
  const named = name === null ? '' : `server_name = "${name}", `;
  return `{ client = "${client}", ${named}pool = "${pool}" }`;
}

function poolText({ name, lines, health, outlier, backends }: PoolPlan, places: Places): string {
  return [
    `[pools.${name}]`,
    ...linesOf(lines),
    `[pools.${name}.health]`,
    ...linesOf(health),
    ...(outlier === null ? [] : [`[pools.${name}.outlier]`, ...linesOf(outlier)]),
    ...backends.flatMap((backend) => [
      `[[pools.${name}.backends]]`,
      `name = "${backend.name}"`,
      `address = "${places.backends.get(backend.name)}"`,
      ...linesOf(backend.lines),
    ]),
  ].join('\n');
}

function linesOf(lines: Lines): string[] {
  return Object.entries(lines).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
}
