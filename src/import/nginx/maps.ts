/** `map $ssl_preread_server_name $variable` as the routes of a listener. */
import { LACKS } from '../capabilities.js';
import { fullOf } from '../draft.js';
import type { Part, Statement } from '../statement.js';
import type { NginxScene, Settings } from './scene.js';
import { type Protocol, poolFor, whyNoPool } from './upstreams.js';

/** The pool for what no route fits ("" refuses it); null: nothing of it can be translated. */
export function writeRoutes(
  scene: NginxScene,
  listener: string,
  pass: Part,
  settings: Settings,
  protocol: Protocol,
): string | null {
  const map = scene.maps.get(pass.value(1).replace(/^\$\{?|\}$/g, ''));
  if (map === undefined || map.statement.value(1) !== '$ssl_preread_server_name') return null;
  const rows = (map.children ?? []).map(({ statement }) => statement);
  const fallback = rows.find((row) => row.value(0) === 'default');
  const other =
    fallback === undefined
      ? null
      : poolFor(scene, fallback.value(1), fallback.part(), settings, protocol);
  const endings = rows.some((row) => row.value(0) === 'hostnames') ? 'known' : 'unknown';
  const pairs = rows.filter(
    (row) => row !== fallback && row.words.length === 2 && row.value(0) !== 'include',
  );
  if (scene.has.routes === 'not here') {
    for (const row of pairs) row.part().dropped(LACKS.routes);
    map.statement.part().dropped(LACKS.routes);
    pass.changed('all sessions go to the default of its map');
    fallback?.mark('translated', `listeners.${listener}.pool`);
    return other;
  }
  const path = ['listeners', listener, 'routes'];
  const routes = pairs.flatMap((row) => routeOf({ scene, endings, settings, protocol }, row) ?? []);
  // nginx looks for the whole name first, then for the longest ending.
  for (const { row, names, pool } of routes.toSorted((a, b) => b.rank - a.rank)) {
    if (!scene.draft.hasRoomFor('routes')) {
      row.part().dropped(fullOf('routes'));
      continue;
    }
    const table = scene.draft.listed(path, [row.place]);
    table.put('server_name', names, '');
    table.put('pool', pool, '');
    row.mark('translated', path.join('.'));
  }
  for (const part of [map.statement.part(), pass]) part.mark('translated', path.join('.'));
  for (const row of rows)
    if (row.value(0) === 'hostnames') row.part().idle('routes have names with "*." anyway');
  fallback?.mark('translated', `listeners.${listener}.pool`);
  if (routes.length === 0) return other;
  settings.one('ssl_preread')?.idle('the hello is read where a route asks for it');
  return other ?? '';
}

interface Route {
  readonly row: Statement;
  readonly names: readonly string[];
  readonly pool: string;
  readonly rank: number;
}

const NAME = /^(?:\*?\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

interface MapScene {
  readonly scene: NginxScene;
  /** Without `hostnames` nginx compares whole names only: "*" and "." are letters. */
  readonly endings: 'known' | 'unknown';
  readonly settings: Settings;
  readonly protocol: Protocol;
}

function routeOf(map: MapScene, row: Statement): Route | null {
  const { scene, settings, protocol } = map;
  const name = row.value(0).toLowerCase();
  if (!NAME.test(name)) {
    row.part().dropped('a server name is a name, or one with "*." before it');
    return null;
  }
  if (map.endings === 'unknown' && /^[.*]/.test(name)) {
    row.part().idle('without `hostnames` it fits no name');
    return null;
  }
  const pool = poolFor(scene, row.value(1), row.part(), settings, protocol);
  if (pool === null) {
    row.part().dropped(whyNoPool(scene));
    return null;
  }
  const names = name.startsWith('.') ? [name.slice(1), `*${name}`] : [name];
  return { row, names, pool, rank: /^[.*]/.test(name) ? name.length : 1_000 };
}
