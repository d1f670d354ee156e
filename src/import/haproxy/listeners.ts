/** A frontend, or the front of a listen, as a listener. */
import { FOREVER, fittedDuration, fittedNumber, together, wholeNumber } from '../bounds.js';
import { type DraftTable, fullOf } from '../draft.js';
import type { Part } from '../statement.js';
import { inspectDelay, writeAccess } from './access_rules.js';
import { type BindGroup, bindGroups, writeBind } from './binds.js';
import type { ProxySettings } from './proxy.js';
import { whyNowhere, writeRoutes } from './routes.js';
import type { HaproxyScene, ProxyPool } from './scene.js';
import { haproxyMs } from './times.js';

/** Writes the listeners of `proxy` (of the kind frontend or listen) and the pools they lead to. */
export function writeListeners(scene: HaproxyScene, proxy: ProxySettings): void {
  for (const acl of proxy.all('acl')) acl.part().idle('no rule uses it');
  const groups = bindGroups(proxy.all('bind'), scene.claims);
  if (groups.length === 0) {
    markLost(proxy, 'its proxy has no address that can be bound');
    return;
  }
  for (const group of groups) writeListener(scene, proxy, group);
}

function writeListener(scene: HaproxyScene, proxy: ProxySettings, group: BindGroup): void {
  if (!scene.draft.hasRoomFor('listeners')) return markLost(proxy, fullOf('listeners'));
  const name = scene.listenerNames.take(proxy.name);
  const ports = new Set(group.addresses.map(({ port }) => port));
  const [only = null] = ports;
  const port = ports.size === 1 ? only : null;
  const path = ['listeners', name];
  const table = scene.draft.table(path, [proxy.section.head.place]);
  const fallback = writeRoutes(scene, name, proxy, port);
  const pool = poolOf(scene, proxy, fallback, port);
  const hasRoutes = scene.draft.has([...path, 'routes']);
  if (pool === null && !hasRoutes) {
    scene.draft.removeListener(name);
    markLost(proxy, whyNowhere(proxy, fallback));
    return;
  }
  if (name === proxy.name) proxy.head.mark('translated', path.join('.'));
  else if (group.header === 'plain') proxy.head.changed(`it is called ${name}`);
  else proxy.head.changed(`the binds with accept-proxy become a listener of their own, ${name}`);
  writeBind(table, group);
  table.put('pool', pool?.name ?? '', pool === null ? 'clients that fit no route are refused' : '');
  if (group.header === 'with a PROXY header' && proxy.all('tcp-request').length > 0) {
    for (const part of group.acceptProxy)
      part.changed("access lists are asked for the proxy's address, and for the client's");
  }
  writeCap(scene, proxy, table);
  writeIdle(proxy, pool, table);
  writeAccess(scene, name, proxy);
  writeDelay(scene, name, proxy, table);
  writeRate(scene, name, proxy);
}

/** A listen with servers of its own leads to those, unless it names another backend. */
function poolOf(
  scene: HaproxyScene,
  proxy: ProxySettings,
  fallback: string | null,
  port: number | null,
): ProxyPool | null {
  if (fallback !== null) return scene.pools.pool(fallback, port);
  return proxy.section.kind === 'listen' ? scene.pools.pool(proxy.name, port) : null;
}

/** Nothing of it can work: each statement of it is dropped. */
function markLost(proxy: ProxySettings, why: string): void {
  for (const statement of [proxy.section.head, ...proxy.section.body])
    statement.part().dropped(why);
}

function writeCap(
  { globals, fronts }: HaproxyScene,
  proxy: ProxySettings,
  table: DraftTable,
): void {
  const own = proxy.setting('maxconn');
  const wanted = wholeNumber(own?.value(1) ?? '');
  if (own !== undefined && wanted !== null && !table.has('max_sessions')) {
    table.take('max_sessions', fittedNumber('max_sessions', wanted).value, [own]);
    return;
  }
  own?.idle('one of its binds has its own');
  const all = globals.maxconn;
  const most = wholeNumber(all?.value(1) ?? '');
  if (all === undefined || most === null || most === 0 || table.has('max_sessions')) return;
  const how = fronts > 1 ? 'for each listener, and not for all of them together' : undefined;
  table.take('max_sessions', fittedNumber('max_sessions', most).value, [all], how);
}

/** The shorter of both sides ends a session in which neither says anything. */
function writeIdle(proxy: ProxySettings, pool: ProxyPool | null, table: DraftTable): void {
  const sides = [proxy.setting('timeout client'), pool?.proxy.setting('timeout server')];
  const tunnel = pool?.proxy.setting('timeout tunnel') ?? proxy.setting('timeout tunnel');
  const given = sides.filter((part) => part !== undefined);
  if (tunnel !== undefined && (msOf(tunnel) ?? 0) > 0) {
    const { value, how } = fittedDuration('idle_timeout', msOf(tunnel) ?? 0);
    table.take('idle_timeout', value, [tunnel], together('it counts from the first byte on', how));
    for (const part of given) part.changed('the time of the tunnel counts for the whole session');
    return;
  }
  const times = given.flatMap((part) => {
    const ms = msOf(part);
    return ms === null || ms === 0 ? [] : [ms];
  });
  const shortest = times.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY);
  if (shortest === Number.POSITIVE_INFINITY) {
    table.put('idle_timeout', FOREVER, 'HAProxy has no limit here');
    for (const part of given) part.mark('translated', `${table.path.join('.')}.idle_timeout`);
    return;
  }
  const { value, how } = fittedDuration('idle_timeout', shortest);
  const isEqual = times.length === given.length && times.every((ms) => ms === shortest);
  const one = isEqual
    ? undefined
    : 'the shorter time of both sides; bytes in either direction count for both';
  table.take('idle_timeout', value, given, together(one, how));
}

function writeDelay(
  { draft }: HaproxyScene,
  listener: string,
  proxy: ProxySettings,
  table: DraftTable,
): void {
  const delay = inspectDelay(proxy);
  if (delay === null) return;
  const ms = haproxyMs(delay.value(2));
  if (!draft.readsHello(listener) || ms === null) {
    delay.part().idle('nothing is waited for: no route asks for a server name');
    return;
  }
  const { value, how } = fittedDuration('hello_timeout', ms);
  const refused = 'a client that has not said enough by then is refused';
  table.take('hello_timeout', value, [delay.part()], together(refused, how));
}

/** `rate-limit sessions N`: connections per second. */
function writeRate({ draft, has }: HaproxyScene, listener: string, proxy: ProxySettings): void {
  const rate = proxy.setting('rate-limit');
  const wanted = wholeNumber(rate?.value(2) ?? '');
  if (rate === undefined) return;
  if (has.limits === 'not here') rate.dropped('this version limits no rate of connections');
  else if (wanted === null) rate.dropped('not a whole number');
  else draft.table(['listeners', listener, 'limits']).take('new_per_second', wanted, [rate]);
}

function msOf(part: Part): number | null {
  return haproxyMs(part.value(2));
}
