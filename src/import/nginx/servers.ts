/** `server` blocks of nginx' stream as listeners. */
import { readEndpoint } from '../../core/address_text.js';
import { type AddressRule, accessLists, EVERYWHERE, ownBlockText } from '../access.js';
import { FOREVER, fittedDuration, fittedNumber, together, wholeNumber } from '../bounds.js';
import { LACKS } from '../capabilities.js';
import { type DraftTable, fullOf } from '../draft.js';
import { type Part, placeText, type Statement } from '../statement.js';
import { writeRoutes } from './maps.js';
import { type NginxScene, Settings } from './scene.js';
import { nginxMs } from './times.js';
import { type Protocol, poolFor, whyNoPool } from './upstreams.js';
import type { StatementNode } from './words.js';

const IDLE_MS = 600_000;
/** Of preread_timeout and of proxy_protocol_timeout. */
const HELLO_MS = 30_000;

interface Listen {
  readonly protocol: Protocol;
  readonly header: 'plain' | 'with a PROXY header';
  readonly endpoints: readonly string[];
  readonly head: Part;
  readonly options: ReadonlyMap<string, Part>;
}

export function writeServer(
  scene: NginxScene,
  node: StatementNode,
  outer: readonly StatementNode[],
): void {
  const children = node.children ?? [];
  const settings = new Settings(children, outer);
  const listens = children.flatMap(({ statement }) => listenOf(scene, statement) ?? []);
  const pass = new Settings(children, []).one('proxy_pass');
  if (pass === undefined || listens.length === 0) {
    const why = pass === undefined ? 'it has no proxy_pass' : 'it has no address that can be bound';
    return lose(node, why);
  }
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const header of ['plain', 'with a PROXY header'] as const) {
      const group = listens.filter((one) => one.protocol === protocol && one.header === header);
      if (group.length > 0) writeListener(scene, node, settings, pass, group);
    }
  }
}

function lose({ statement, children }: StatementNode, why: string): void {
  statement.part().dropped(why);
  for (const child of children ?? []) lose(child, why);
}

function writeListener(
  scene: NginxScene,
  node: StatementNode,
  settings: Settings,
  pass: Part,
  group: readonly Listen[],
): void {
  const [first] = group;
  if (first === undefined) return;
  const { protocol } = first;
  const target = pass.value(1);
  if (!scene.draft.hasRoomFor('listeners')) return lose(node, fullOf('listeners'));
  const name = scene.listenerNames.take(nameOf(target, first));
  const table = scene.draft.table(['listeners', name], [node.statement.place]);
  const isVariable = target.startsWith('$');
  const pool = isVariable
    ? writeRoutes(scene, name, pass, settings, protocol)
    : poolFor(scene, target, pass, settings, protocol);
  if (pool === null) {
    scene.draft.removeListener(name);
    const why = isVariable ? 'its variable cannot be translated' : whyNoPool(scene);
    return lose(node, why);
  }
  node.statement.mark('translated', `listeners.${name}`);
  if (!isVariable) pass.mark('translated', `listeners.${name}.pool`);
  if (protocol === 'udp') table.put('protocol', 'udp', '');
  const endpoints = group.flatMap((one) => one.endpoints);
  const [single = ''] = endpoints;
  table.take(
    'bind',
    endpoints.length === 1 ? single : endpoints,
    group.map(({ head }) => head),
  );
  table.put('pool', pool, pool === '' ? 'clients that fit no route are refused' : '');
  writeHeader(settings, group, table);
  writeHello(settings, first, scene.draft.readsHello(name) ? 'a hello' : 'nothing', table);
  writeOptions(group, table);
  writeIdle(settings, table);
  writeAccess(scene, name, settings);
  return writeLimits(scene, name, settings);
}

function nameOf(target: string, { protocol, endpoints }: Listen): string {
  if (/^[A-Za-z][\w.-]*$/.test(target)) return target;
  const port = /[0-9]+$/.exec(endpoints[0] ?? '')?.[0] ?? 'unix';
  return `${protocol}-${port}`;
}

/** Null: it is no `listen`, or nothing that can be bound; then it is dropped with the reason. */
function listenOf(scene: NginxScene, statement: Statement): Listen | null {
  if (statement.value(0) !== 'listen') return null;
  const options = new Map(
    statement.words.slice(2).map((word, index) => {
      return [word.value.split('=')[0] ?? '', statement.part(index + 2, index + 3)] as const;
    }),
  );
  const protocol = options.has('udp') ? 'udp' : 'tcp';
  const isSix = statement.text().includes('ipv6only=off');
  const wanted = endpointsOf(statement.value(1), isSix ? 'both' : 'one family');
  const problem = options.has('ssl')
    ? 'sluice does not terminate TLS: servers would get it, and do not expect it'
    : wanted === null
      ? 'not an address that can be bound'
      : null;
  if (problem !== null || wanted === null) {
    statement.part().dropped(problem ?? '');
    return null;
  }
  const owner = placeText(statement.place);
  const holders = wanted.map((one) => scene.claims.take(protocol, one, owner));
  const endpoints = wanted.filter((_, index) => holders[index] === null);
  if (endpoints.length === 0) {
    statement.part().dropped(`${holders[0] ?? owner} listens there already`);
    return null;
  }
  const head = statement.part(0, 2);
  const header = options.has('proxy_protocol') ? 'with a PROXY header' : 'plain';
  if (endpoints.length < wanted.length) head.changed('some of its addresses are taken already');
  return { protocol, header, endpoints, head, options };
}

/** `80`, `*:80`, `10.0.0.1:80-90`, `[::]:80`, `localhost:80`, `unix:/path`. */
function endpointsOf(text: string, families: 'both' | 'one family'): readonly string[] | null {
  if (text.startsWith('unix:')) return readEndpoint(text).ok ? [text] : null;
  const match = /^(?:(.*):)?([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (match === null) return null;
  const [, host = '', low, high] = match;
  const from = Number(low);
  const to = Number(high ?? low);
  if (from < 1 || to > 65_535 || to < from || to - from >= 64) return null;
  const named: Readonly<Record<string, string>> = {
    '': '0.0.0.0',
    '*': '0.0.0.0',
    localhost: '127.0.0.1',
  };
  const bare = host === '' || host === '*' || host === 'localhost' ? (named[host] ?? '') : host;
  const hosts = bare === '[::]' && families === 'both' ? ['0.0.0.0', '[::]'] : [bare];
  const ports = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const found = ports.flatMap((port) => hosts.map((one) => `${one}:${port}`));
  return found.length <= 64 && found.every((one) => readEndpoint(one).ok) ? found : null;
}

function writeHeader(settings: Settings, group: readonly Listen[], table: DraftTable): void {
  const parts = group.flatMap(({ options }) => options.get('proxy_protocol') ?? []);
  const trusted = settings.all('set_real_ip_from');
  if (parts.length === 0) return;
  table.take('accept_proxy_protocol', true, parts);
  if (group.every(({ endpoints }) => endpoints.every((one) => one.startsWith('unix:')))) return;
  const blocks = trusted.flatMap((part) => ownBlockText(part.value(1)) ?? []);
  if (blocks.length > 0)
    table.take('trusted_proxies', blocks, trusted, 'connections from other addresses are refused');
  else
    table.put('trusted_proxies', [...EVERYWHERE], 'better list the addresses of your proxies only');
}

/** nginx has a time for the PROXY header and one for the hello; here is one for both together. */
function writeHello(
  settings: Settings,
  { header }: Listen,
  routesBy: 'a hello' | 'nothing',
  table: DraftTable,
): void {
  const times = [
    { part: settings.one('proxy_protocol_timeout'), counts: header !== 'plain' },
    { part: settings.one('preread_timeout'), counts: routesBy === 'a hello' },
  ];
  const given: Part[] = [];
  let sumMs = 0;
  for (const { part, counts } of times) {
    const ms = nginxMs(part?.value(1) ?? '');
    if (!counts) part?.idle('nothing is waited for');
    else if (part !== undefined && ms === null) part.dropped('not a time');
    else if (part !== undefined) given.push(part);
    if (counts) sumMs += ms ?? HELLO_MS;
  }
  if (sumMs === 0) return;
  const { value, how } = fittedDuration('hello_timeout', sumMs);
  const isBoth = times.every(({ counts }) => counts);
  const both = isBoth ? 'the sum of the times for PROXY header and hello' : undefined;
  if (given.length > 0) table.take('hello_timeout', value, given, together(both, how));
  else table.put('hello_timeout', value, together("nginx' default", both) ?? '');
}

function writeOptions(group: readonly Listen[], table: DraftTable): void {
  for (const { protocol, options } of group) {
    for (const [name, part] of options) {
      const number = wholeNumber(part.value(0).split('=')[1] ?? '');
      if (name === 'udp') part.mark('translated', `${table.path.join('.')}.protocol`);
      else if (name === 'backlog' && protocol === 'tcp' && number !== null) {
        table.take('backlog', fittedNumber('backlog', number).value, [part]);
      } else if (name === 'reuseport' || name === 'bind' || name === 'default_server') {
        part.idle('each worker has a socket of its own');
      } else if (name === 'ipv6only') part.idle('`bind` lists the addresses of both families');
      else if (name === 'so_keepalive') writeKeepalive(part);
      else if (name !== 'proxy_protocol') part.dropped('a listener has no such option');
    }
  }
}

function writeKeepalive(part: Part): void {
  if (part.value(0) === 'so_keepalive=off')
    part.changed('keepalive is on, and cannot be switched off');
  else part.idle("keepalive is on, and uses the kernel's times");
}

function writeIdle(settings: Settings, table: DraftTable): void {
  const part = settings.one('proxy_timeout');
  const ms = nginxMs(part?.value(1) ?? '');
  if (part === undefined || ms === null) {
    part?.dropped('not a time');
    const { value } = fittedDuration('idle_timeout', IDLE_MS);
    return table.put('idle_timeout', value, "nginx' default");
  }
  if (ms === 0) return table.take('idle_timeout', FOREVER, [part], 'the longest');
  const { value, how } = fittedDuration('idle_timeout', ms);
  return table.take('idle_timeout', value, [part], how);
}

/** `allow` and `deny` in their order; what none fits is allowed. */
function writeAccess({ draft, has }: NginxScene, listener: string, settings: Settings): void {
  const parts = [...settings.all('allow'), ...settings.all('deny')].toSorted(
    (a, b) => a.place.line - b.place.line || a.statement.value(0).localeCompare(b.value(0)),
  );
  const rules: AddressRule[] = [];
  const told: Part[] = [];
  for (const part of parts) {
    const block = part.value(1) === 'all' ? EVERYWHERE : [ownBlockText(part.value(1)) ?? ''];
    if (has.access === 'not here') part.dropped(LACKS.access);
    else if (block.includes('')) part.dropped('not an address');
    else {
      rules.push({
        action: part.value(0) === 'allow' ? 'allow' : 'deny',
        fits: 'within',
        blocks: block,
      });
      told.push(part);
    }
  }
  if (rules.length === 0) return;
  const lists = accessLists(rules);
  for (const part of told) part.mark('translated', `listeners.${listener}.access`);
  const table = draft.table(['listeners', listener, 'access']);
  if (lists.allow.length > 0) table.take('allow', lists.allow, told);
  if (lists.deny.length > 0) table.take('deny', lists.deny, told);
}

function writeLimits(
  { draft, has, zones }: NginxScene,
  listener: string,
  settings: Settings,
): void {
  for (const part of settings.all('limit_conn')) {
    const zone = zones.get(part.value(1));
    const wanted = wholeNumber(part.value(2));
    if (has.limits === 'not here') {
      part.dropped(LACKS.limits);
      zone?.part().dropped(LACKS.limits);
    } else if (zone === undefined || wanted === null)
      part.dropped('there are limits per client address only');
    else {
      const table = draft.table(['listeners', listener, 'limits']);
      table.take('sessions_per_client', wanted, [part, zone.part()]);
      const dry = settings.one('limit_conn_dry_run');
      if (dry?.value(1) === 'on') table.take('dry_run', true, [dry]);
      else dry?.idle('it is off');
      table.put('ipv6_prefix', 128, 'each IPv6 address is a client of its own');
    }
  }
}
