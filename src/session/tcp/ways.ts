/** Where the clients of a listener go: all of them to one pool, or each by its route. */
import type { PoolId, SeriesId } from '../../core/brand.js';
import type { Peer } from '../../core/endpoint.js';
import type { Directions } from '../../core/plan.js';
import { Routes } from '../../core/routes.js';
import type { Facts } from '../early/stage.js';
import type { WaitingSessions } from './waiting.js';

/** One that leads to `waiting`; null: it refuses. */
interface Way {
  readonly waiting: WaitingSessions | null;
  readonly series: SeriesId;
}

export class Ways {
  readonly directions: Directions;
  /** Where all go; null: each has to be known first, or all are refused. */
  readonly only: WaitingSessions | null;
  /** null: all go to `only`. */
  readonly #routes: Routes | null;
  readonly #ways: readonly Way[];
  /** By pool: of the first way that leads there. */
  readonly #series = new Map<WaitingSessions, SeriesId>();

  constructor(directions: Directions, poolOf: (id: PoolId) => WaitingSessions) {
    const { pool, routes } = directions;
    this.directions = directions;
    this.#routes = routes.length === 0 ? null : new Routes(routes);
    this.only = pool === null || routes.length > 0 ? null : poolOf(pool);
    this.#ways = routes.map((route) => ({
      waiting: route.pool === null ? null : poolOf(route.pool),
      series: route.series,
    }));
    for (const { waiting, series } of this.#ways) {
      if (waiting !== null && !this.#series.has(waiting)) this.#series.set(waiting, series);
    }
  }

  /** Whether something has to be known of a client. */
  get areMany(): boolean {
    return this.#routes !== null;
  }

  /** Where a client goes, by what is known of it (`facts`); null: it is refused. */
  find(facts: Facts, client: Peer): WaitingSessions | null {
    const { hello, postgres } = facts;
    const session = postgres?.kind === 'start' ? postgres.session : null;
    const index = this.#routes?.find({
      client,
      serverName: hello?.serverName ?? null,
      alpn: hello?.alpn ?? [],
      database: session?.database ?? null,
      user: session?.user ?? null,
      application: session?.application ?? null,
    });
    return this.#ways[index ?? -1]?.waiting ?? null;
  }

  /** Where sessions count that go to `waiting` and have no backend. */
  seriesOf(waiting: WaitingSessions | null): SeriesId {
    const series = waiting === null ? undefined : this.#series.get(waiting);
    return series ?? this.directions.series;
  }
}
