/** The health of a pool: which check a proxy of HAProxy makes, and how often. */

import { fittedDuration, fittedNumber, together, wholeNumber } from '../bounds.js';
import type { Draft, DraftTable } from '../draft.js';
import type { Part } from '../statement.js';
import { conversationOf, writeSteps } from './conversation.js';
import { writeHttpCheck } from './http_check.js';
import type { ProxySettings } from './proxy.js';
import { partsNamed, type Server } from './servers.js';
import { haproxyMs } from './times.js';

const CHECKS = [
  'option tcp-check',
  'option httpchk',
  'option pgsql-check',
  'option redis-check',
  'option mysql-check',
  'option ssl-hello-chk',
  'option smtpchk',
  'option ldap-check',
] as const;

/** Without `inter`, HAProxy probes so often. */
const INTERVAL_MS = 2_000;

export interface HealthScene {
  readonly draft: Draft;
  /** Of the health table. */
  readonly path: readonly string[];
  readonly proxy: ProxySettings;
  readonly servers: readonly Server[];
  /** `spread-checks` of `global`. */
  readonly spread: Part | undefined;
}

/** TLS and certificates. */
const FOR_PROBES = 'for the probe only; sessions pass through as they are';

export function writeHealth(scene: HealthScene): void {
  const { draft, path, proxy, servers } = scene;
  const table = draft.table(path);
  const checked = servers.filter(({ options }) => options.has('check'));
  if (checked.length === 0) {
    table.put('probe', 'none', 'no server is checked');
    markUnused(proxy, servers);
    return;
  }
  const checks = partsNamed(servers, 'check');
  for (const check of checks) check.mark('translated', path.join('.'));
  if (checked.length < servers.length) {
    checks[0]?.changed('all backends of the pool are probed, also those without check');
  }
  writeKind(scene, table);
  writeTls(scene, table);
  writePort(scene, table);
  writeTiming(scene, table);
}

function markUnused(proxy: ProxySettings, servers: readonly Server[]): void {
  const why = 'no server is checked';
  for (const key of [...CHECKS, 'timeout check']) proxy.setting(key)?.idle(why);
  for (const word of ['tcp-check', 'http-check']) {
    for (const statement of proxy.all(word)) statement.part().idle(why);
  }
  for (const name of ['inter', 'fastinter', 'downinter', 'fall', 'rise', 'port', 'check-ssl']) {
    for (const part of partsNamed(servers, name)) part.idle(why);
  }
}

/** The last of them counts, as for HAProxy. */
function writeKind(scene: HealthScene, table: DraftTable): void {
  const { proxy } = scene;
  const order = proxy.statements();
  const found = CHECKS.flatMap((key) => {
    const part = proxy.setting(key);
    return part === undefined ? [] : [{ key, part, at: order.indexOf(part.statement) }];
  }).toSorted((a, b) => b.at - a.at);
  const [last, ...others] = found;
  for (const { part } of others) part.idle('a later check replaces it');
  const kind = last?.key;
  for (const [word, owner] of [
    ['tcp-check', 'option tcp-check'],
    ['http-check', 'option httpchk'],
  ] as const) {
    if (kind === owner) continue;
    for (const statement of proxy.all(word)) statement.part().idle('another check is in use');
  }
  if (last === undefined) table.put('probe', 'tcp', 'a check that connects');
  else writeOption(scene, table, last.key, last.part);
}

function writeOption(
  scene: HealthScene,
  table: DraftTable,
  key: (typeof CHECKS)[number],
  part: Part,
): void {
  switch (key) {
    case 'option tcp-check':
      return writeTcpCheck(scene, table, part);
    case 'option httpchk':
      return writeHttpCheck(scene.proxy, table, part);
    case 'option redis-check':
      return table.take('probe', 'redis', [part]);
    case 'option pgsql-check':
      return table.take('probe', 'postgres', [part], POSTGRES);
    case 'option mysql-check':
      return table.take('probe', 'mysql', [part], 'the probe logs in as the user "sluice"');
    case 'option ssl-hello-chk':
      table.take('probe', 'tls', [part], 'the probe completes the handshake');
      return table.put('tls_verify', false, 'HAProxy does not verify the certificate here');
    case 'option smtpchk':
      return writeSmtp(scene, table, part);
    case 'option ldap-check':
      table.take('probe', 'send-expect', [part]);
      table.put('send', { bytes: LDAP_BIND }, 'an anonymous bind, LDAPv3');
      return table.put('expect', { bytes: LDAP_SUCCESS }, 'its success');
  }
}

const POSTGRES =
  'the probe asks without a login whether the server takes clients; `user` and `password_file` let it log in';

/** RFC 4511: BindRequest of version 3 with an empty name and password; resultCode success. */
const LDAP_BIND = Uint8Array.of(0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0);
const LDAP_SUCCESS = Uint8Array.of(0x0a, 1, 0);

function writeTcpCheck(scene: HealthScene, table: DraftTable, part: Part): void {
  const talk = conversationOf(scene.proxy);
  const { port, tls } = talk;
  const wanted = port === null ? null : wholeNumber(port.value(1));
  if (port !== null && wanted !== null) {
    table.take('port', fittedNumber('port', wanted).value, [port]);
  }
  if (talk.steps.length === 0)
    return table.take('probe', tls === null ? 'tcp' : 'tls', [part, tls ?? undefined]);
  table.take('probe', 'send-expect', [part]);
  if (tls !== null) {
    table.take('tls', true, [tls]);
    table.put('tls_verify', false, 'HAProxy does not verify the certificate here');
  }
  return writeSteps(scene.draft, [...scene.path, 'steps'], talk);
}

function writeSmtp(scene: HealthScene, table: DraftTable, part: Part): void {
  const hello = /^(?:HELO|EHLO)$/i.test(part.value(2)) ? part.value(2).toUpperCase() : 'HELO';
  const domain = /^[\x21-\x7e]+$/.test(part.value(3)) ? part.value(3) : 'localhost';
  table.take('probe', 'send-expect', [part]);
  const encoder = new TextEncoder();
  const steps = [
    { expect: '220' },
    { send: `${hello} ${domain}\r\n`, expect: '250' },
    { send: 'QUIT\r\n', expect: '221' },
  ];
  for (const { send, expect } of steps) {
    const step = scene.draft.listed([...scene.path, 'steps'], [part.place]);
    if (send !== undefined) step.put('send', { bytes: encoder.encode(send) }, '');
    step.put('expect', { bytes: encoder.encode(expect) }, '');
  }
}

/** Kinds of probe that can talk TLS by themselves. */
const TALK_TLS = new Set(['send-expect', 'http', 'redis', 'postgres']);

/** `check-ssl`, or `ssl` of the server: the check talks TLS. */
function writeTls({ servers }: HealthScene, table: DraftTable): void {
  const [server] = servers;
  const explicit = partsNamed(servers, 'check-ssl');
  const asServer = servers.some(({ options }) => options.has('ssl'));
  if (server === undefined) return;
  if (explicit.length === 0 && !asServer) {
    if (table.has('tls')) writeTrust(servers, table);
    return;
  }
  const probe = table.get('probe');
  if (probe === 'tcp') table.put('probe', 'tls', 'a check over TLS');
  else if (typeof probe !== 'string' || !TALK_TLS.has(probe)) {
    for (const part of explicit) {
      if (probe === 'tls') part.mark('translated', 'the probe talks TLS');
      else part.dropped('this probe does not talk TLS');
    }
    return;
  } else if (!table.has('tls')) {
    table.take('tls', true, explicit);
  }
  for (const part of explicit) part.mark('translated', 'the probe talks TLS');
  writeTrust(servers, table);
}

function writeTrust(servers: readonly Server[], table: DraftTable): void {
  const verify = partsNamed(servers, 'verify');
  const file = partsNamed(servers, 'ca-file');
  const path = file[0]?.value(1) ?? '';
  const isTrusted = verify.every((part) => part.value(1) !== 'none');
  const names = partsNamed(servers, 'check-sni');
  const name = names[0]?.value(1) ?? '';
  if (/^[\x21-\x7e]+$/.test(name)) table.take('tls_server_name', name, names);
  if (!isTrusted || verify.length === 0) {
    table.take('tls_verify', false, verify, FOR_PROBES);
    return;
  }
  for (const part of verify) part.changed(FOR_PROBES);
  if (path.startsWith('/')) {
    table.take('tls_ca_file', path, file, FOR_PROBES);
  }
}

function writePort({ servers }: HealthScene, table: DraftTable): void {
  const ports = partsNamed(servers, 'port');
  const wanted = wholeNumber(ports[0]?.value(1) ?? '');
  if (ports.length === 0 || wanted === null) return;
  const hasUnix = servers.some(({ address }) => address.startsWith('unix:'));
  if (hasUnix) {
    for (const part of ports) part.dropped('a backend of the pool is a UNIX socket');
    return;
  }
  const same = ports.filter((part) => part.value(1) === ports[0]?.value(1));
  table.take('port', fittedNumber('port', wanted).value, same);
  for (const part of ports) {
    if (!same.includes(part)) part.dropped(`a pool is probed at one port, ${wanted}`);
  }
}

function writeTiming(scene: HealthScene, table: DraftTable): void {
  const { servers, proxy, spread } = scene;
  const interval = commonMs(servers, 'inter');
  const intervalMs = interval.ms ?? INTERVAL_MS;
  if (interval.ms !== null) takeMs(table, 'interval', interval);
  const fast = commonMs(servers, 'fastinter');
  const down = commonMs(servers, 'downinter');
  if (fast.ms !== null && fast.ms <= intervalMs) takeMs(table, 'fast_interval', fast);
  else if (fast.ms !== null) {
    for (const part of fast.parts) part.dropped('it is longer than the interval');
  } else {
    const value = fittedDuration('fast_interval', intervalMs).value;
    table.put('fast_interval', value, 'as inter, where fastinter is not set');
  }
  if (down.ms !== null) takeMs(table, 'down_interval', down);
  else {
    const value = fittedDuration('down_interval', intervalMs).value;
    table.put('down_interval', value, 'as inter, where downinter is not set');
  }
  takeCount(servers, table, 'fall');
  takeCount(servers, table, 'rise');
  writeTimeout(proxy.setting('timeout check'), intervalMs, table);
  const percent = spread === undefined ? null : wholeNumber(spread.value(1));
  if (spread !== undefined && percent !== null) {
    table.take('jitter', Math.min(1, percent / 100), [spread]);
  }
}

/** Without `timeout check`, HAProxy gives a check as long as `inter`. */
function writeTimeout(check: Part | undefined, intervalMs: number, table: DraftTable): void {
  const ms = check === undefined ? null : haproxyMs(check.value(2));
  if (check === undefined || ms === null) {
    const { value } = fittedDuration('timeout', intervalMs);
    table.put('timeout', value, 'as inter, where timeout check is not set');
    return;
  }
  const { value, how } = fittedDuration('timeout', ms);
  table.take('timeout', value, [check], together('for the whole probe, connect included', how));
}

interface Common {
  readonly parts: readonly Part[];
  readonly ms: number | null;
}

/** What most servers have in common: the value of the first; others are said. */
function commonMs(servers: readonly Server[], name: string): Common {
  const all = partsNamed(servers, name);
  const readable = all.filter((part) => haproxyMs(part.value(1)) !== null);
  for (const part of all) if (!readable.includes(part)) part.dropped('not a time');
  const ms = haproxyMs(readable[0]?.value(1) ?? '');
  return { parts: readable, ms };
}

function takeMs(
  table: DraftTable,
  key: 'interval' | 'fast_interval' | 'down_interval',
  { parts, ms }: Common,
): void {
  const { value, how } = fittedDuration(key, ms ?? 0);
  const isSame = (part: Part): boolean => haproxyMs(part.value(1)) === ms;
  table.take(key, value, parts.filter(isSame), how);
  for (const part of parts) if (!isSame(part)) part.changed(`${key} of the pool is ${value}`);
}

function takeCount(servers: readonly Server[], table: DraftTable, key: 'fall' | 'rise'): void {
  const parts = partsNamed(servers, key);
  const wanted = wholeNumber(parts[0]?.value(1) ?? '');
  if (wanted === null) return;
  const { value, how } = fittedNumber(key, wanted);
  const isSame = (part: Part): boolean => part.value(1) === parts[0]?.value(1);
  table.take(key, value, parts.filter(isSame), how);
  for (const part of parts) if (!isSame(part)) part.changed(`${key} of the pool is ${value}`);
}
