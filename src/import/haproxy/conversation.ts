/** `tcp-check` rules as the steps of a probe. */
import type { Draft, Payload } from '../draft.js';
import type { Part, Statement } from '../statement.js';
import type { ProxySettings } from './proxy.js';
import { LONE_BYTES } from './words.js';

interface Step {
  send: number[];
  expect: number[];
  readonly parts: Part[];
}

export interface Conversation {
  readonly steps: readonly Step[];
  /** `tcp-check connect port N`. */
  readonly port: Part | null;
  /** `tcp-check connect ssl`. */
  readonly tls: Part | null;
}

const MAX_PAYLOAD_BYTES = 4_096;

/** The rules of `proxy` in their order. What a probe cannot do is dropped, and the rest stays. */
export function conversationOf(proxy: ProxySettings): Conversation {
  const reader = new RuleReader();
  for (const statement of proxy.all('tcp-check')) reader.take(statement);
  return { steps: reader.steps, port: reader.port, tls: reader.tls };
}

export function writeSteps(draft: Draft, path: readonly string[], talk: Conversation): void {
  for (const { send, expect, parts } of talk.steps) {
    const table = draft.listed(
      path,
      parts.map(({ place }) => place),
    );
    if (send.length > 0) table.put('send', payload(send), '');
    if (expect.length > 0) table.put('expect', payload(expect), '');
    for (const part of parts) part.mark('translated', path.join('.'));
  }
}

function payload(bytes: readonly number[]): Payload {
  return { bytes: Uint8Array.from(bytes) };
}

class RuleReader {
  readonly steps: Step[] = [];
  port: Part | null = null;
  tls: Part | null = null;
  #connects = 0;

  take(statement: Statement): void {
    const part = statement.part();
    switch (statement.value(1)) {
      case 'connect':
        this.#connect(statement);
        break;
      case 'send':
      case 'send-binary':
        this.#send(statement, part);
        break;
      case 'expect':
        this.#expect(statement, part);
        break;
      case 'comment':
        part.idle('a comment');
        break;
      default:
        part.dropped('a probe has no such rule');
    }
  }

  #connect(statement: Statement): void {
    this.#connects++;
    if (this.#connects > 1) {
      return statement.part().dropped('a probe makes one connection');
    }
    statement.mark('translated', 'every probe begins like this', 0, 2);
    for (let at = 2; at < statement.words.length; at++) {
      const word = statement.value(at);
      const pair = statement.part(at, at + 2);
      if (word === 'port') this.port = pair;
      else if (word === 'ssl') this.tls = statement.part(at, at + 1);
      else if (word === 'default')
        statement.mark('idle', 'nothing to do: it is the default', at, at + 1);
      else if (word === 'comment') pair.idle('a comment');
      else if (word === 'send-proxy') {
        statement.mark(
          'idle',
          'nothing to do: probes send a header wherever sessions do',
          at,
          at + 1,
        );
      }
      if (['port', 'addr', 'sni', 'alpn', 'proto', 'comment'].includes(word)) at++;
    }
    return undefined;
  }

  #send(statement: Statement, part: Part): void {
    const isBinary = statement.value(1) === 'send-binary';
    const bytes = isBinary ? hexBytes(statement.value(2)) : textBytes(statement.value(2));
    if (bytes === null) return part.dropped('not pairs of hexadecimal digits');
    comment(statement, 3);
    const last = this.steps.at(-1);
    const open = last !== undefined && last.expect.length === 0 ? last : this.#step();
    if (open.send.length + bytes.length > MAX_PAYLOAD_BYTES) {
      return part.dropped('more than a probe can send at a time');
    }
    open.send.push(...bytes);
    open.parts.push(statement.part(0, 3));
    return undefined;
  }

  #expect(statement: Statement, part: Part): void {
    const plain = [...statement.words.keys()].slice(2).filter((at) => isPattern(statement, at));
    const at = plain[0];
    if (at === undefined) return part.dropped('a probe cannot expect that');
    const kind = statement.value(at);
    const found = expectedBytes(kind, statement.value(at + 1));
    if (found === null) {
      return part.dropped('a probe looks for bytes; it has no regular expressions and no "not"');
    }
    if (found.bytes.length === 0 || found.bytes.length > MAX_PAYLOAD_BYTES) {
      return part.dropped('no bytes to look for, or too many');
    }
    comment(statement, at + 2);
    const said = statement.part(0, 2);
    const what = statement.part(at, at + 2);
    if (found.how !== undefined) what.changed(found.how);
    for (let other = 2; other < at; other += 2) optionOf(statement, other);
    const last = this.steps.at(-1);
    const step = last === undefined || last.expect.length > 0 ? this.#step() : last;
    step.expect = found.bytes;
    step.parts.push(said, what);
    return undefined;
  }

  #step(): Step {
    const step: Step = { send: [], expect: [], parts: [] };
    this.steps.push(step);
    return step;
  }
}

const PATTERNS = new Set(['string', 'rstring', 'binary', 'rbinary', '!']);

/** Options of an `expect` come in pairs before its pattern. */
function isPattern(statement: Statement, at: number): boolean {
  return at % 2 === 0 && PATTERNS.has(statement.value(at));
}

function optionOf(statement: Statement, at: number): void {
  const pair = statement.part(at, at + 2);
  if (statement.value(at) === 'comment') pair.idle('a comment');
  else if (statement.value(at) === 'min-recv')
    pair.idle('a probe waits for the bytes until its timeout');
  else pair.changed('a failed probe is logged with its reason');
}

function comment(statement: Statement, from: number): void {
  if (statement.value(from) === 'comment') statement.part(from, from + 2).idle('a comment');
}

interface Expected {
  readonly bytes: number[];
  readonly how: string | undefined;
}

function expectedBytes(kind: string, pattern: string): Expected | null {
  if (kind === 'string') return { bytes: [...textBytes(pattern)], how: undefined };
  if (kind === 'binary') {
    const bytes = hexBytes(pattern);
    return bytes === null ? null : { bytes: [...bytes], how: undefined };
  }
  const literal = kind === 'rstring' ? literalOf(pattern) : null;
  if (literal === null) return null;
  const how = `the bytes ${JSON.stringify(literal)}, wherever they stand in the answer`;
  return { bytes: [...textBytes(literal)], how: literal === pattern ? undefined : how };
}

/** A regular expression that stands for one text, but for its anchors; null for others. */
function literalOf(pattern: string): string | null {
  const inner = pattern.replace(/^\(?\^?/, '').replace(/\$?\)?$/, '');
  let literal = '';
  for (let at = 0; at < inner.length; at++) {
    const char = inner[at] ?? '';
    if (char === '\\') {
      const next = inner[++at] ?? '';
      if (next === '' || /[A-Za-z0-9]/.test(next)) return null;
      literal += next;
    } else if (/[.*+?()[\]{}|^$]/.test(char)) {
      return null;
    } else {
      literal += char;
    }
  }
  return literal;
}

/** UTF-8, but for bytes that an escape made. */
function textBytes(text: string): Uint8Array {
  const encoder = new TextEncoder();
  return Uint8Array.from(
    [...text].flatMap((char) => {
      const byte = char.charCodeAt(0) - LONE_BYTES;
      return char.length === 1 && byte >= 0x80 && byte <= 0xff ? [byte] : [...encoder.encode(char)];
    }),
  );
}

function hexBytes(text: string): Uint8Array | null {
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
