/** `global`, logging and statistics: what concerns the process as a whole. */
import { fittedDuration, fittedNumber, wholeNumber } from '../bounds.js';
import type { Capabilities } from '../capabilities.js';
import type { Claims } from '../claims.js';
import type { Draft } from '../draft.js';
import { lookUp } from '../look_up.js';
import type { Part } from '../statement.js';
import { bindAddresses } from './addresses.js';
import type { ProxySettings } from './proxy.js';
import type { Globals } from './scene.js';
import type { ProxySection } from './sections.js';
import { haproxyMs } from './times.js';
import {
  IDLE_GLOBALS,
  OF_THE_SERVICE,
  SERVICE_MANAGER,
  TUNING_PREFIX,
  TUNING_WHY,
} from './vocabulary.js';

const WITH_SUBJECT = new Set(['stats']);

export const TO_STDOUT =
  'lines of JSON on standard output, which the journal of the service manager keeps';

/** Reads all `global` sections; what proxies need of them is in the answer. */
export function readGlobals(
  sections: readonly ProxySection[],
  draft: Draft,
  has: Capabilities,
): Globals {
  const found = new Map<string, Part>();
  for (const statement of sections.flatMap(({ body }) => body)) {
    const word = statement.value(0) === 'no' ? statement.value(1) : statement.value(0);
    const key = WITH_SUBJECT.has(word) ? `${word} ${statement.value(1)}` : word;
    const part = statement.part();
    found.get(key)?.idle('a later statement replaces it');
    found.set(key, part);
    writeGlobal(key, part, draft, has);
  }
  return { maxconn: found.get('maxconn'), spread: found.get('spread-checks') };
}

function writeGlobal(key: string, part: Part, draft: Draft, has: Capabilities): void {
  const idle = lookUp(IDLE_GLOBALS, key);
  if (idle !== undefined) return part.idle(idle);
  if (key.startsWith(TUNING_PREFIX)) return part.dropped(TUNING_WHY);
  if (OF_THE_SERVICE.has(key)) return part.changed(SERVICE_MANAGER);
  switch (key) {
    case 'maxconn':
      return part.idle('every listener has a maxconn of its own');
    case 'spread-checks':
      return part.idle('no server is checked');
    case 'log':
    case 'log-tag':
    case 'log-send-hostname':
      return part.changed(TO_STDOUT);
    case 'nbthread':
      return writeThreads(part, draft);
    case 'hard-stop-after':
      return writeStop(part, draft);
    case 'stats socket':
      return writeSocket(part, draft, has);
  }
  return undefined;
}

function writeThreads(part: Part, draft: Draft): void {
  const wanted = wholeNumber(part.value(1));
  if (wanted === null || wanted === 0) return part.dropped('not a number of threads');
  const { value, how } = fittedNumber('workers', wanted);
  return draft.table(['daemon']).take('workers', value, [part], how);
}

function writeStop(part: Part, draft: Draft): void {
  const ms = haproxyMs(part.value(1));
  if (ms === null) return part.dropped('not a time');
  const { value, how } = fittedDuration('shutdown_timeout', ms);
  return draft.table(['daemon']).take('shutdown_timeout', value, [part], how);
}

/** HAProxy's commands are not those of `sluice ctl`, but its users are the same people. */
function writeSocket(part: Part, draft: Draft, has: Capabilities): void {
  if (has.control === 'not here') return part.dropped('this version has no control socket');
  draft.table(['admin']);
  return part.changed('`sluice ctl` has a socket of its own (admin.socket), with other commands');
}

/** Logging of proxies: one line a session, unless only failures are wanted. */
export function writeLog(proxies: readonly ProxySettings[], draft: Draft): void {
  const parts = proxies.flatMap((proxy) => proxy.all('log').map((statement) => statement.part()));
  const told = parts.filter((part) => part.value(0) === 'log');
  for (const proxy of proxies) {
    proxy
      .setting('option dontlognull')
      ?.idle('a client that sends nothing does not count as a failure');
    proxy
      .setting('option tcplog')
      ?.changed("sluice's lines have their own fields: see conf/events.md");
    proxy.setting('log-format')?.dropped("sluice's lines have their own fields");
    proxy.setting('log-tag')?.changed(TO_STDOUT);
  }
  const quiet = proxies.flatMap((proxy) => proxy.setting('option dontlog-normal') ?? []);
  for (const part of parts) {
    if (!told.includes(part)) part.idle('it is off');
  }
  if (told.length === 0) {
    for (const part of quiet) part.idle('nothing is logged');
    return;
  }
  const table = draft.table(['log']);
  if (quiet.length > 0) table.take('access', 'errors', [...told, ...quiet], TO_STDOUT);
  else table.take('access', 'all', told, TO_STDOUT);
}

/** A proxy that only shows statistics: the dashboard takes its place, on this machine only. */
export function writeStats(proxy: ProxySettings, draft: Draft, claims: Claims): void {
  const how = 'the dashboard of sluice has no login, so it listens on this machine only';
  const admin = draft.table(['admin']);
  const [bind] = proxy.all('bind');
  const address = bind === undefined ? null : bindAddresses(bind.value(1), 'both');
  const port = address?.ok === true ? address.value[0]?.port : null;
  for (const statement of [proxy.section.head, ...proxy.section.body]) {
    statement.part().changed('the dashboard and /metrics of sluice take its place');
  }
  if (bind === undefined || port === null || port === undefined || admin.has('http')) return;
  const local = `127.0.0.1:${port}`;
  if (claims.take('tcp', local, 'the dashboard') === null) {
    admin.take('http', local, [bind.part()], how);
  }
}

/** True: it serves statistics and nothing else. */
export function isStats(proxy: ProxySettings): boolean {
  const asks = proxy.section.body.some(
    (statement) =>
      statement.value(0) === 'stats' || statement.text().includes('prometheus-exporter'),
  );
  const leads = ['server', 'server-template', 'use_backend'].some((word) =>
    proxy.section.body.some((statement) => statement.value(0) === word),
  );
  const backend = proxy.section.body.some((one) => one.value(0) === 'default_backend');
  return asks && !leads && !backend;
}
