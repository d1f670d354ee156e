/** `upstream` blocks, and addresses in `proxy_pass`, as pools. */
import { readAddress } from '../../core/address_text.js';
import { formatAddress } from '../../core/endpoint.js';
import { fittedDuration, fittedNumber, together, wholeNumber } from '../bounds.js';
import { LACKS } from '../capabilities.js';
import { type DraftTable, fullOf } from '../draft.js';
import { isSourceAddress } from '../source_address.js';
import type { Part } from '../statement.js';
import { settingOf, writeFailures } from './failures.js';
import type { NginxScene, Settings } from './scene.js';
import { nginxMs } from './times.js';
import type { StatementNode } from './words.js';

export type Protocol = 'tcp' | 'udp';

const CONNECT_MS = 60_000;
const NEXT = ['proxy_next_upstream', 'proxy_next_upstream_tries', 'proxy_next_upstream_timeout'];
const POOL_SETTINGS = [
  ...NEXT,
  ...['proxy_connect_timeout', 'proxy_protocol', 'proxy_bind', 'proxy_responses'],
  'proxy_session_drop',
];

/** The pool that `asking` names as `target`; null: see `whyNoPool`. */
export function poolFor(
  scene: NginxScene,
  target: string,
  asking: Part,
  settings: Settings,
  protocol: Protocol,
): string | null {
  const parts = POOL_SETTINGS.flatMap((name) => settings.one(name) ?? []);
  const key = [target, protocol, ...parts.map((part) => part.text())].join('\n');
  const known = scene.pools.get(key);
  if (known !== undefined) {
    // Of another server; what it says is the same, and goes the same way.
    writeDials(scene, settings, protocol, scene.draft.table(['pools', known]));
    return known;
  }
  const upstream = scene.upstreams.get(target);
  if (upstream === undefined && !readAddress(target).ok) return null;
  if (!scene.draft.hasRoomFor('pools')) return null;
  const name = scene.poolNames.take(target.replace(/^unix:\/*/, ''));
  scene.pools.set(key, name);
  const path = ['pools', name];
  const table = scene.draft.table(path, upstream === undefined ? [] : [upstream.statement.place]);
  if (upstream === undefined) {
    table.put('policy', 'round-robin', '');
    for (const name of NEXT) settings.one(name)?.idle('there is no other server');
    writeDials(scene, settings, protocol, table);
    scene.draft.table([...path, 'health']).put('probe', 'none', 'nginx does not probe');
    if (takesNothing(target, protocol)) asking.dropped(withoutIt(name));
    else if (scene.draft.fitting([{ head: asking }]).length > 0) {
      scene.draft.listed([...path, 'backends'], []).put('address', target, '');
    }
    return name;
  }
  if (name === target || ownsName(scene, target)) {
    upstream.statement.mark('translated', path.join('.'));
  } else upstream.statement.part().changed(`it is called ${name}`);
  writePolicy(scene, path, table, upstream);
  writeDials(scene, settings, protocol, table);
  const servers = scene.draft.fitting(serversOf(upstream, name, protocol));
  writeRetries(settings, servers.length, table);
  writeSlowStart(servers, table);
  scene.draft.table([...path, 'health']).put('probe', 'none', 'nginx does not probe');
  writeFailures(scene, path, servers);
  const taken = new Set<string>();
  for (const server of servers) writeServer(scene, path, server, taken);
  return name;
}

/** Another pool of the upstream has its name: there is one per protocol and settings. */
function ownsName({ pools }: NginxScene, upstream: string): boolean {
  return [...pools].some(([key, name]) => name === upstream && key.startsWith(`${upstream}\n`));
}

/** Why there is none: the target is no upstream and no address, or there is no room. */
export function whyNoPool({ draft }: NginxScene): string {
  return draft.hasRoomFor('pools') ? 'no such upstream' : fullOf('pools');
}

function writePolicy(
  scene: NginxScene,
  path: readonly string[],
  table: DraftTable,
  upstream: StatementNode,
): void {
  table.put('policy', 'round-robin', "nginx' default");
  for (const { statement } of upstream.children ?? []) {
    const part = statement.part();
    const words = statement.values(1);
    switch (statement.value(0)) {
      case 'least_conn':
        table.take('policy', 'least-connections', [part]);
        break;
      case 'least_time':
        table.take(
          'policy',
          'least-latency',
          [part],
          'it uses the time to connect and to the first byte together',
        );
        break;
      case 'random':
        table.take('policy', words[0] === 'two' ? 'p2c' : 'random', [part]);
        break;
      case 'hash':
        writeHash(scene, path, table, part);
    }
  }
}

function writeHash(
  scene: NginxScene,
  path: readonly string[],
  table: DraftTable,
  part: Part,
): void {
  if (!/^\$(?:binary_)?remote_addr$/.test(part.value(1))) {
    return part.dropped(
      'sluice distinguishes clients by address only; the pool uses round-robin instead',
    );
  }
  table.take(
    'policy',
    'source-hash',
    [part],
    'each client has one backend, but a different one than with nginx',
  );
  const hash = scene.draft.table([...path, 'hash']);
  hash.put('algorithm', part.value(2) === 'consistent' ? 'ring' : 'maglev', '');
  hash.put('balance_factor', 0, 'a client stays with its backend, whatever the load');
  return hash.put('ipv6_prefix', 128, 'each IPv6 address is a client of its own');
}

function writeDials(
  scene: NginxScene,
  settings: Settings,
  protocol: Protocol,
  table: DraftTable,
): void {
  const connect = settings.one('proxy_connect_timeout');
  const ms = nginxMs(connect?.value(1) ?? '');
  const { value, how } = fittedDuration('connect_timeout', ms ?? CONNECT_MS);
  if (connect === undefined || ms === null) {
    connect?.dropped('not a time');
    table.put('connect_timeout', value, "nginx' default");
  } else table.take('connect_timeout', value, [connect], how);
  const header = settings.one('proxy_protocol');
  if (header?.value(1) === 'on') {
    if (protocol === 'tcp') table.take('send_proxy_protocol', 'v1', [header]);
    else table.take('send_proxy_protocol', 'v2', [header], 'over UDP it is version 2');
  } else header?.idle('it is off');
  const drop = settings.one('proxy_session_drop');
  if (drop?.value(1) === 'on') table.take('on_down', 'close', [drop]);
  else drop?.idle('it is off');
  writeReplies(settings.one('proxy_responses'), protocol, table);
  writeSource(scene, settings.one('proxy_bind'), table);
}

function writeReplies(part: Part | undefined, protocol: Protocol, table: DraftTable): void {
  const wanted = wholeNumber(part?.value(1) ?? '');
  if (part === undefined) return;
  if (protocol === 'tcp') part.idle('it is for UDP');
  else if (wanted === null) part.dropped('not a whole number');
  else if (wanted === 0) part.changed('replies pass until idle_timeout ends the flow');
  else table.take('udp_responses', fittedNumber('udp_responses', wanted).value, [part]);
}

function writeSource({ has }: NginxScene, part: Part | undefined, table: DraftTable): void {
  if (part === undefined) return;
  const address = part.value(1);
  if (address === 'off') part.idle('it is off');
  else if (has.source === 'not here') part.dropped(LACKS.source);
  else if (part.value(2) !== '' || !isSourceAddress(address)) {
    part.dropped('it must be an address of this machine, without options');
  } else table.take('source', [address], [part]);
}

function writeRetries(settings: Settings, servers: number, table: DraftTable): void {
  const next = settings.one('proxy_next_upstream');
  const tries = settings.one('proxy_next_upstream_tries');
  const time = settings.one('proxy_next_upstream_timeout');
  if (time?.value(1) === '0') time.idle('no limit is set');
  else time?.changed('connect_timeout limits each try, and retries how many there are');
  if (next?.value(1) === 'off') {
    table.take('retries', 0, [next]);
    tries?.idle('nothing is tried again');
    return;
  }
  next?.idle('a failed dial goes on to another backend');
  const wanted = wholeNumber(tries?.value(1) ?? '');
  const others = Math.min(100, Math.max(0, servers - 1));
  if (tries !== undefined && wanted !== null && wanted > 0) {
    table.take('retries', fittedNumber('retries', wanted - 1).value, [tries]);
    return;
  }
  tries?.idle('every server may be tried');
  table.put('retries', others, 'every server is tried once');
}

export interface UpstreamServer {
  readonly head: Part;
  readonly options: ReadonlyMap<string, Part>;
}

/** nginx fails to connect to it, and goes on to the next one. */
function takesNothing(address: string, protocol: Protocol): boolean {
  return protocol === 'udp' && address.startsWith('unix:');
}

function withoutIt(pool: string): string {
  return `a UNIX socket takes no datagrams, so it is not in pools.${pool}, which is for UDP`;
}

function serversOf(
  upstream: StatementNode,
  pool: string,
  protocol: Protocol,
): readonly UpstreamServer[] {
  const found = (upstream.children ?? []).flatMap(({ statement }): readonly UpstreamServer[] => {
    if (statement.value(0) !== 'server') return [];
    const read = readAddress(statement.value(1));
    if (!read.ok) {
      statement.part().dropped(`${statement.value(1)}: ${read.error.problem}`);
      return [];
    }
    if (takesNothing(statement.value(1), protocol)) {
      statement.part().dropped(withoutIt(pool));
      return [];
    }
    const head = statement.part(0, 2);
    head.mark('translated', 'a backend');
    const options = statement.words.slice(2).map((word, index) => {
      const name = word.value.split('=')[0] ?? '';
      return [name, statement.part(index + 2, index + 3)] as const;
    });
    return [{ head, options: new Map(options) }];
  });
  const inUse = found.filter(({ options }) => !options.has('down') && weightOf(options) !== 0);
  if (inUse.length > 0) return found;
  for (const { head } of found) head.statement.part().dropped('none of its servers takes sessions');
  return [];
}

function weightOf(options: ReadonlyMap<string, Part>): number | null {
  return wholeNumber(settingOf(options.get('weight')) ?? '1');
}

function writeSlowStart(servers: readonly UpstreamServer[], table: DraftTable): void {
  const parts = servers.flatMap(({ options }) => options.get('slow_start') ?? []);
  const ms = nginxMs(settingOf(parts[0]) ?? '');
  if (ms === null || ms === 0) return;
  const { value, how } = fittedDuration('slow_start', ms);
  const isSame =
    parts.length === servers.length && parts.every((part) => part.text() === parts[0]?.text());
  table.take('slow_start', value, parts, together(isSame ? undefined : 'for the whole pool', how));
}

/** nginx lets an address stand there twice; two backends have two names. */
function writeServer(
  scene: NginxScene,
  path: readonly string[],
  { head, options }: UpstreamServer,
  taken: Set<string>,
): void {
  const table = scene.draft.listed([...path, 'backends'], [head.place]);
  const address = head.value(1);
  table.put('address', address, '');
  const read = readAddress(address);
  const usual = read.ok ? formatAddress(read.value) : address;
  let label = usual;
  for (let count = 2; taken.has(label); count++) label = `${usual}-${count}`;
  taken.add(label);
  if (label !== usual) table.put('name', label, 'its address is there twice');
  for (const [name, part] of options) {
    const number = wholeNumber(settingOf(part) ?? '');
    if (name === 'weight' && number !== null) {
      table.take('weight', fittedNumber('weight', number).value, [part]);
    } else if (name === 'max_conns' && number !== null) {
      table.take('max_connections', fittedNumber('max_connections', number).value, [part]);
    } else if (name === 'backup') table.take('backup', true, [part]);
    else if (name === 'down') table.take('weight', 0, [part], 'give it a weight to use it');
    else if (name === 'resolve') part.idle('names are looked up again every 10 s');
    else if (name === 'slow_start') part.idle('it is off');
    else if (!['max_fails', 'fail_timeout'].includes(name))
      part.dropped('a backend has no such option');
  }
}
