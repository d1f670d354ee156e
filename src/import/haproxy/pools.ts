/** A backend of HAProxy as a pool: everything but its health and its policy is written here. */
import { fittedDuration, fittedNumber, together, wholeNumber } from '../bounds.js';
import { LACKS } from '../capabilities.js';
import type { DraftTable } from '../draft.js';
import { isSourceAddress } from '../source_address.js';
import type { Part } from '../statement.js';
import { type Spares, writeBalance } from './balance.js';
import { writeHealth } from './checks.js';
import type { ProxySettings } from './proxy.js';
import type { HaproxyScene } from './scene.js';
import { writeServer } from './server_options.js';
import { partsNamed, type Server, serversOf } from './servers.js';
import { templatesOf, writeTemplates } from './templates.js';
import { haproxyMs } from './times.js';

/** Where neither a maxqueue nor a maxconn says how many may wait. */
const QUEUE_SIZE = 10_000;

export function writePool(
  scene: HaproxyScene,
  name: string,
  proxy: ProxySettings,
  listenerPort: number | null,
): void {
  const { draft, globals, has } = scene;
  const path = ['pools', name];
  const found = draft.fitting(inService(serversOf(proxy, listenerPort)));
  const templates = templatesOf(proxy, has);
  const table = draft.table(path, [proxy.section.head.place]);
  const spares = writeBalance({ draft, path, table, proxy, servers: found });
  const servers = spares === 'none' ? found : backupsLast(found);
  const members = [...servers, ...templates];
  writeProxyHeader(members, table);
  writeDials(scene, proxy, members, table);
  writeQueue(scene, proxy, members, table);
  writeComebacks(members, table);
  writeHealth({
    draft,
    path: [...path, 'health'],
    proxy,
    servers: members,
    spread: globals.spread,
  });
  writeOutlier(scene, members, path);
  writeTemplates({ draft, path, pool: table, templates, resolvers: scene.resolvers });
  const tables = servers.map((server) => {
    const backend = draft.listed([...path, 'backends'], [server.statement.place]);
    writeServer(server, backend, has);
    return backend;
  });
  writeBackups({ proxy, servers, spares, pool: table, tables });
}

/** Where all but the first are spares, they serve in the order of HAProxy: backups at the end. */
function backupsLast(servers: readonly Server[]): readonly Server[] {
  const isBackup = ({ options }: Server): boolean => options.has('backup');
  return [...servers.filter((one) => !isBackup(one)), ...servers.filter(isBackup)];
}

/** A pool in which no backend has a weight would be refused; HAProxy serves no session with it. */
function inService(servers: readonly Server[]): readonly Server[] {
  if (servers.some((server) => weightOf(server) > 0)) return servers;
  for (const { statement } of servers) {
    statement.part().dropped('no server of this backend takes sessions');
  }
  return [];
}

function weightOf({ options }: Server): number {
  if (options.has('disabled')) return 0;
  return wholeNumber(options.get('weight')?.value(1) ?? '1') ?? 1;
}

interface BackupScene {
  readonly proxy: ProxySettings;
  readonly servers: readonly Server[];
  readonly spares: Spares;
  readonly pool: DraftTable;
  /** Of the servers. */
  readonly tables: readonly DraftTable[];
}

/** HAProxy uses the first backup only, unless `option allbackups` is set. */
function writeBackups({ proxy, servers, spares, pool, tables }: BackupScene): void {
  const all = proxy.setting('option allbackups');
  const hasCaps = servers.some(({ options }) => options.has('maxconn'));
  const how = hasCaps ? 'it also serves while all others are at their maxconn' : undefined;
  let backups = 0;
  for (const [index, server] of servers.entries()) {
    const part = server.options.get('backup');
    if (part === undefined) {
      if (spares !== 'none' && index > 0) tables[index]?.put('backup', true, 'a spare');
      continue;
    }
    backups++;
    tables[index]?.take('backup', true, [part], how);
  }
  if (spares !== 'none') {
    if (servers.length > 2) pool.put('backups', 'first', 'one spare at a time');
    if (backups > 1) all?.changed('one backup serves at a time, as the other spares do');
    else all?.idle('there is one backup at most');
  } else if (backups > 1) {
    if (all === undefined) pool.put('backups', 'first', "HAProxy's default");
    else pool.take('backups', 'all', [all]);
  } else all?.idle('there is one backup at most');
}

function writeProxyHeader(servers: readonly Server[], table: DraftTable): void {
  const one = partsNamed(servers, 'send-proxy');
  const two = ['send-proxy-v2', 'send-proxy-v2-ssl', 'send-proxy-v2-ssl-cn'].flatMap((name) =>
    partsNamed(servers, name),
  );
  const parts = [...one, ...two];
  if (parts.length === 0) return;
  const bare = servers.filter(
    ({ options }) => ![...options.keys()].some((name) => name.startsWith('send-proxy')),
  );
  const mixed = bare.length > 0 || (one.length > 0 && two.length > 0);
  const how = mixed ? 'all backends of a pool get the same header' : undefined;
  table.take('send_proxy_protocol', two.length > 0 ? 'v2' : 'v1', parts, how);
  for (const part of two) {
    if (part.value(0) !== 'send-proxy-v2') part.changed('without the fields about TLS');
  }
}

function writeDials(
  scene: HaproxyScene,
  proxy: ProxySettings,
  servers: readonly Server[],
  table: DraftTable,
): void {
  const connect = proxy.setting('timeout connect');
  const connectMs = msOf(connect);
  if (connect !== undefined && connectMs !== null) {
    const { value, how } = fittedDuration('connect_timeout', connectMs);
    table.take('connect_timeout', value, [connect], how);
  }
  const retries = proxy.setting('retries');
  const wanted = wholeNumber(retries?.value(1) ?? '');
  if (retries !== undefined && wanted !== null) {
    const { value, how } = fittedNumber('retries', wanted);
    const other = 'each retry goes at once to a backend that was not tried yet';
    table.take('retries', value, [retries], wanted === 0 ? how : together(other, how));
  }
  writeSource(scene, proxy, servers, table);
}

/** Of the proxy, or of the servers if all have the same. */
function writeSource(
  { has }: HaproxyScene,
  proxy: ProxySettings,
  servers: readonly Server[],
  table: DraftTable,
): void {
  const own = proxy.setting('source');
  const parts = partsNamed(servers, 'source');
  const sources = own === undefined ? parts : [own];
  if (has.source === 'not here') {
    for (const part of sources) part.dropped(LACKS.source);
    return;
  }
  const address = sources[0]?.value(1) ?? '';
  if (sources.length === 0) return;
  const isSame = sources.every((part) => part.value(1) === address);
  if (!isSame || !isSourceAddress(address)) {
    for (const part of sources) part.dropped('a pool has one source address, without a port');
    return;
  }
  table.take('source', [address], sources);
}

function writeQueue(
  { globals }: HaproxyScene,
  proxy: ProxySettings,
  servers: readonly Server[],
  table: DraftTable,
): void {
  const queues = partsNamed(servers, 'maxqueue');
  const timeout = proxy.setting('timeout queue');
  const caps = partsNamed(servers, 'maxconn');
  const hasCap = caps.some((part) => (wholeNumber(part.value(1)) ?? 0) > 0);
  if (!hasCap) {
    for (const part of queues) part.idle('without maxconn no session waits');
    timeout?.idle('without maxconn no session waits');
    proxy.setting('fullconn')?.idle('no server has a minconn');
    return;
  }
  const limits = servers.map(({ options }) =>
    wholeNumber(options.get('maxqueue')?.value(1) ?? '0'),
  );
  const sum = limits.reduce<number>((total, limit) => total + (limit ?? 0), 0);
  const most = wholeNumber(globals.maxconn?.value(1) ?? '') ?? QUEUE_SIZE;
  if (sum > 0 && !limits.includes(0)) {
    const how = 'sessions wait for any backend of the pool, not for a certain one';
    table.take('queue_size', fittedNumber('queue_size', sum).value, queues, how);
  } else {
    table.put('queue_size', fittedNumber('queue_size', most).value, "HAProxy's queue has no limit");
    for (const part of queues) part.dropped('some of its servers have a queue without a limit');
  }
  writeQueueTimeout(proxy, timeout, table);
  const full = proxy.setting('fullconn');
  if (partsNamed(servers, 'minconn').length === 0) full?.idle('no server has a minconn');
  else full?.dropped('a cap does not depend on the load');
}

/** Without `timeout queue`, HAProxy takes `timeout connect`. */
function writeQueueTimeout(
  proxy: ProxySettings,
  timeout: Part | undefined,
  table: DraftTable,
): void {
  const ms = msOf(timeout);
  if (timeout !== undefined && ms !== null) {
    const { value, how } = fittedDuration('queue_timeout', ms);
    table.take('queue_timeout', value, [timeout], how);
    return;
  }
  const connectMs = msOf(proxy.setting('timeout connect'));
  if (connectMs === null) return;
  const { value } = fittedDuration('queue_timeout', connectMs);
  table.put('queue_timeout', value, 'as timeout connect');
}

/** Slow start, and what becomes of sessions of a server that is down. */
function writeComebacks(servers: readonly Server[], table: DraftTable): void {
  const slow = partsNamed(servers, 'slowstart');
  const slowMs = haproxyMs(slow[0]?.value(1) ?? '');
  if (slowMs !== null && slowMs > 0) {
    const { value, how } = fittedDuration('slow_start', slowMs);
    const isSame = slow.length === servers.length || slow.every((part) => part.value(0) !== '');
    const unequal = slow.some((part) => haproxyMs(part.value(1)) !== slowMs) || !isSame;
    const pool = unequal ? 'it is the same for all backends of the pool' : undefined;
    table.take('slow_start', value, slow, together(pool, how));
  }
  const downs = partsNamed(servers, 'on-marked-down');
  const closing = downs.filter((part) => part.value(1) === 'shutdown-sessions');
  for (const part of downs) if (!closing.includes(part)) part.dropped('not a known action');
  if (closing.length === 0) return;
  const all = servers.every(
    ({ options }) => options.get('on-marked-down')?.value(1) === 'shutdown-sessions',
  );
  table.take('on_down', 'close', closing, all ? undefined : 'for all backends of the pool');
}

/** `observe layer4`: failures of sessions take a server out. */
function writeOutlier(
  { draft }: HaproxyScene,
  servers: readonly Server[],
  path: readonly string[],
): void {
  const observe = partsNamed(servers, 'observe');
  const limits = partsNamed(servers, 'error-limit');
  const actions = partsNamed(servers, 'on-error');
  const usual = observe.filter((part) => part.value(1) === 'layer4');
  for (const part of observe) if (!usual.includes(part)) part.dropped('sluice does not see HTTP');
  if (usual.length === 0) {
    for (const part of [...limits, ...actions]) part.idle('nothing is observed');
    return;
  }
  const table = draft.table([...path, 'outlier']);
  const wanted = wholeNumber(limits[0]?.value(1) ?? '') ?? 10;
  const { value } = fittedNumber('consecutive_failures', wanted);
  const how = 'failed dials, and resets before the first byte, eject a backend for a while';
  table.take('consecutive_failures', value, [...usual, ...limits, ...actions], how);
}

function msOf(timeout: Part | undefined): number | null {
  return timeout === undefined ? null : haproxyMs(timeout.value(2));
}
