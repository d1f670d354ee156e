/** `option httpchk` and its `http-check` rules as a probe over HTTP. */
import { fittedNumber, wholeNumber } from '../bounds.js';
import type { DraftTable } from '../draft.js';
import type { Part, Statement } from '../statement.js';
import type { ProxySettings } from './proxy.js';

const METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export function writeHttpCheck(proxy: ProxySettings, table: DraftTable, option: Part): void {
  table.take('probe', 'http', [option.statement.part(0, 2)]);
  writeRequest(table, option);
  const rules = proxy.all('http-check');
  for (const rule of rules) {
    if (rule.value(1) === 'send') writeSend(table, rule);
    else if (rule.value(1) === 'expect') writeExpect(table, rule);
    else if (rule.value(1) === 'connect') writeConnect(table, rule);
    else if (rule.value(1) === 'comment') rule.part().idle('a comment');
    else rule.part().dropped('a probe has no such rule');
  }
  if (!table.has('method')) table.put('method', 'OPTIONS', "HAProxy's default");
}

/** `option httpchk [METHOD] PATH [VERSION [Host header]]` */
function writeRequest(table: DraftTable, { statement }: Part): void {
  const words = statement.words.length;
  if (words === 2) return;
  const hasMethod = words > 3;
  const pathAt = hasMethod ? 3 : 2;
  if (hasMethod) takeMethod(table, statement.part(2, 3), statement.value(2));
  takePath(table, statement.part(pathAt, pathAt + 1), statement.value(pathAt));
  if (words > pathAt + 1) takeVersion(table, statement.part(pathAt + 1, words));
}

/** In old files headers stand behind the version: `HTTP/1.1\r\nHost:\ db.example`. */
function takeVersion(table: DraftTable, part: Part): void {
  const text = part.statement.values(part.from).join(' ');
  const host = /\r\nHost: *([\x21-\x7e]+)/i.exec(text)?.[1];
  const headers = text.split('\r\n').filter((line) => /^[\w-]+:/.test(line));
  if (host !== undefined) table.take('host', host, [part]);
  if (headers.length > (host === undefined ? 0 : 1)) {
    part.dropped('Host is the only header that a probe can send');
  } else if (host === undefined) {
    part.idle('a probe speaks HTTP/1.1');
  }
}

function takeMethod(table: DraftTable, part: Part, method: string): void {
  if (METHODS.has(method)) table.take('method', method, [part]);
  else part.dropped('a probe sends GET, HEAD or OPTIONS; this one sends OPTIONS');
}

function takePath(table: DraftTable, part: Part, path: string): void {
  if (/^\/[\x21-\x7e]*$/.test(path) && path.length < 256) table.take('path', path, [part]);
  else part.dropped('not a path that a probe can ask for; it asks for "/"');
}

/** `http-check send [meth M] [uri U] [ver V] [hdr NAME VALUE]… [body B]` */
function writeSend(table: DraftTable, rule: Statement): void {
  rule.mark('translated', 'the request of the probe', 0, 2);
  for (let at = 2; at < rule.words.length; ) {
    const word = rule.value(at);
    const length = word === 'hdr' ? 3 : 2;
    const part = rule.part(at, at + length);
    if (word === 'meth') takeMethod(table, part, part.value(1));
    else if (word === 'uri') takePath(table, part, part.value(1));
    else if (word === 'ver') part.idle('a probe speaks HTTP/1.1');
    else if (word === 'comment') part.idle('a comment');
    else if (word === 'hdr' && part.value(1).toLowerCase() === 'host') takeHost(table, part);
    else part.dropped('a probe sends no such thing');
    at += length;
  }
}

function takeHost(table: DraftTable, part: Part): void {
  if (/^[\x21-\x7e]+$/.test(part.value(2))) table.take('host', part.value(2), [part]);
  else part.dropped('not a host name that a probe can send');
}

/** `http-check expect [option value]… [!] status|rstatus|string|… PATTERN` */
function writeExpect(table: DraftTable, rule: Statement): void {
  const words = rule.values(0);
  const at = words.findIndex((word, index) => index >= 2 && index % 2 === 0 && word === 'status');
  if (at === -1 || words.includes('!')) {
    return rule.part().dropped('a probe looks at the status only, and has no "not"');
  }
  const status = rule.value(at + 1);
  const codes = status.split(',');
  if (!codes.every((code) => /^[1-5][0-9]{2}(?:-[1-5][0-9]{2})?$/.test(code))) {
    return rule.part().dropped('not status codes');
  }
  for (let other = 2; other < at; other += 2) {
    const part = rule.part(other, other + 2);
    if (rule.value(other) === 'comment') part.idle('a comment');
    else part.changed('a failed probe is logged with its reason');
  }
  rule.mark('translated', 'the answer of the probe', 0, 2);
  const [single = ''] = codes;
  const isOne = codes.length === 1 && /^[0-9]+$/.test(single);
  return table.take('status', isOne ? Number(single) : codes, [rule.part(at, at + 2)]);
}

function writeConnect(table: DraftTable, rule: Statement): void {
  rule.mark('translated', 'every probe begins like this', 0, 2);
  for (let at = 2; at < rule.words.length; at++) {
    const word = rule.value(at);
    const pair = rule.part(at, at + 2);
    const port = word === 'port' ? wholeNumber(pair.value(1)) : null;
    if (port !== null) table.take('port', fittedNumber('port', port).value, [pair]);
    else if (word === 'default') rule.mark('idle', 'nothing to do: it is the default', at, at + 1);
    else if (word === 'ssl') {
      table.take('tls', true, [rule.part(at, at + 1)]);
      table.put('tls_verify', false, 'HAProxy does not verify the certificate here');
    }
    if (['port', 'addr', 'sni', 'alpn', 'proto', 'comment'].includes(word)) at++;
  }
}
