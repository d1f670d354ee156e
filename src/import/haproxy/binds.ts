/** The `bind` lines of a proxy: where its listeners listen. */
import { fittedNumber, wholeNumber } from '../bounds.js';
import type { Claims } from '../claims.js';
import type { DraftTable } from '../draft.js';
import { lookUp } from '../look_up.js';
import { type Part, placeText, type Statement } from '../statement.js';
import { type BindAddress, bindAddresses } from './addresses.js';

/** Options that are followed by a word. */
const ARGUMENTS = new Set([
  ...['alpn', 'backlog', 'ca-file', 'ca-sign-file', 'ca-verify-file', 'ciphers', 'ciphersuites'],
  ...['crl-file', 'crt', 'crt-list', 'curves', 'ecdhe', 'gid', 'group', 'guid-prefix', 'id'],
  ...['interface', 'level', 'maxconn', 'mode', 'mss', 'name', 'namespace', 'nice', 'npn', 'proto'],
  ...['process', 'shards', 'sigalgs', 'ssl-max-ver', 'ssl-min-ver', 'tcp-ut', 'thread'],
  ...[
    'tls-ticket-keys',
    'uid',
    'user',
    'verify',
    'crt-ignore-err',
    'ca-ignore-err',
    'severity-output',
  ],
]);

const IDLE: Readonly<Record<string, string>> = {
  name: 'it is only a name',
  id: 'it is only a name',
  'guid-prefix': 'it is only a name',
  process: 'every worker accepts connections',
  thread: 'every worker accepts connections',
  shards: 'every worker accepts connections',
  'defer-accept': 'sluice dials at once, also when the client has said nothing',
  nice: 'sluice treats all listeners alike',
  v4v6: '`bind` lists the addresses of both families',
  v6only: 'an IPv6 address is bound for IPv6 only',
};

const DROPPED: Readonly<Record<string, string>> = {
  interface: 'sluice does not bind to interfaces',
  namespace: 'sluice works in its own network namespace',
  transparent: 'sluice does not bind addresses of other machines',
  mode: 'the mode of a UNIX socket follows the umask of the service',
  user: 'a UNIX socket belongs to the user of the service',
  uid: 'a UNIX socket belongs to the user of the service',
  group: 'a UNIX socket belongs to the group of the service',
  gid: 'a UNIX socket belongs to the group of the service',
  tfo: 'TCP Fast Open is not used',
  mss: 'the kernel decides on the segment size',
  'tcp-ut': 'sluice does not set TCP_USER_TIMEOUT',
  'accept-netscaler-cip': 'sluice reads PROXY headers only',
};

/** The addresses of one listener: those that take a PROXY header, or those that do not. */
export interface BindGroup {
  readonly header: 'plain' | 'with a PROXY header';
  readonly addresses: readonly BindAddress[];
  readonly parts: readonly Part[];
  readonly acceptProxy: readonly Part[];
  readonly options: readonly Part[];
}

export function bindGroups(statements: readonly Statement[], claims: Claims): readonly BindGroup[] {
  const found = statements.flatMap((statement) => bindOf(statement, claims) ?? []);
  return (['plain', 'with a PROXY header'] as const).flatMap((header) => {
    const members = found.filter((bind) => bind.header === header);
    if (members.length === 0) return [];
    return [
      {
        header,
        addresses: unique(members.flatMap(({ addresses }) => addresses)),
        parts: members.flatMap(({ parts }) => parts),
        acceptProxy: members.flatMap(({ acceptProxy }) => acceptProxy),
        options: members.flatMap(({ options }) => options),
      },
    ];
  });
}

const TLS = 'sluice does not terminate TLS: servers would get it, and do not expect it';

/** Null: nothing of the line can be bound, and it is dropped with the reason. */
function bindOf(statement: Statement, claims: Claims): BindGroup | null {
  const options = optionParts(statement);
  const named = new Map(options.map((part) => [part.value(0), part]));
  if (named.has('ssl')) {
    statement.part().dropped(TLS);
    return null;
  }
  const families = named.has('v6only') ? 'only 6' : 'both';
  const texts = statement
    .value(1)
    .split(',')
    .filter((text) => text !== '');
  const converted = texts.map((text) => bindAddresses(text, families));
  const bad = converted.find((one) => !one.ok);
  if (bad !== undefined || converted.length === 0) {
    statement.part().dropped(bad?.ok === false ? bad.why : 'no address');
    return null;
  }
  const addresses = claimed(
    statement,
    converted.flatMap((one) => (one.ok ? one.value : [])),
    claims,
  );
  if (addresses.length === 0) return null;
  for (const part of options) {
    const idle = lookUp(IDLE, part.value(0));
    const dropped = lookUp(DROPPED, part.value(0));
    if (dropped !== undefined) part.dropped(dropped);
    else if (idle !== undefined) part.idle(idle);
  }
  const accept = named.get('accept-proxy');
  return {
    header: accept === undefined ? 'plain' : 'with a PROXY header',
    addresses,
    parts: [statement.part(0, 2)],
    acceptProxy: accept === undefined ? [] : [accept],
    options,
  };
}

/** Addresses that are free; one that the same line has twice does no harm. */
function claimed(
  statement: Statement,
  wanted: readonly BindAddress[],
  claims: Claims,
): readonly BindAddress[] {
  const owner = placeText(statement.place);
  const holders = wanted.map(({ endpoint }) => claims.take('tcp', endpoint, owner));
  const free = wanted.filter((_, index) => holders[index] === null);
  const holder = holders.find((one) => one !== null && one !== owner);
  if (free.length === 0) statement.part().dropped(`${holder ?? owner} listens there already`);
  else if (holder !== undefined) {
    statement.part(0, 2).changed(`${holder} listens at some of these addresses already`);
  }
  return free;
}

function optionParts(statement: Statement): readonly Part[] {
  const found: Part[] = [];
  for (let at = 2; at < statement.words.length; ) {
    const end = at + (ARGUMENTS.has(statement.value(at)) ? 2 : 1);
    found.push(statement.part(at, Math.min(end, statement.words.length)));
    at = end;
  }
  return found;
}

function unique(addresses: readonly BindAddress[]): readonly BindAddress[] {
  const seen = new Set<string>();
  return addresses.filter(({ endpoint }) => {
    const isNew = !seen.has(endpoint);
    seen.add(endpoint);
    return isNew;
  });
}

export function writeBind(table: DraftTable, group: BindGroup): void {
  const endpoints = group.addresses.map(({ endpoint }) => endpoint);
  const [single = ''] = endpoints;
  table.take('bind', endpoints.length === 1 ? single : endpoints, group.parts);
  if (group.acceptProxy.length > 0) {
    table.take('accept_proxy_protocol', true, group.acceptProxy);
    const note = 'as in HAProxy; better list the addresses of your proxies only';
    const isLocal = group.addresses.every(({ port }) => port === null);
    if (!isLocal) table.put('trusted_proxies', ['0.0.0.0/0', '::/0'], note);
  }
  const backlogs = group.options.filter((part) => part.value(0) === 'backlog');
  const backlog = wholeNumber(backlogs[0]?.value(1) ?? '');
  if (backlog !== null) table.take('backlog', fittedNumber('backlog', backlog).value, backlogs);
  const caps = group.options.filter((part) => part.value(0) === 'maxconn');
  const wanted = wholeNumber(caps[0]?.value(1) ?? '');
  if (wanted === null || wanted === 0) return;
  if (group.parts.length === 1) {
    table.take('max_sessions', fittedNumber('max_sessions', wanted).value, caps);
  } else for (const part of caps) part.dropped('the cap is for the whole listener');
}
