/**
 * Keeps secrets out of what is reported about the servers that they were sent to. Servers repeat
 * what they were sent, whole or in part, and in other forms; so everything that they say passes
 * here last.
 */
import { createHash } from 'node:crypto';

const MASK = '***';
/** This many characters of a secret in a row are hidden, also where the rest of it is missing. */
const TELLING_LENGTH = 5;
/** A rotated secret stays hidden for this many rotations. */
const MAX_LEARNT = 64;
/** A shorter word of a conversation is no secret, and hiding it would make texts unreadable. */
const MIN_WORD_LENGTH = 3;
/** Words of protocols, which are worth more in a message than out of it. */
const PROTOCOL_WORDS = new Set(
  (
    'AUTH EHLO GET HEAD HELLO HELO INFO LOGIN NOOP OPTIONS PASS PING POST QUIT ROLE SELECT ' +
    'STATS STATUS USER VERSION Host: HTTP/1.0 HTTP/1.1'
  ).split(' '),
);

export class Redactor {
  /** By secret: the fragments that are looked for in texts. */
  readonly #known = new Map<string, readonly Fragments[]>();

  /** Hides `secret` from now on, whatever form it comes back in. */
  learn(secret: string): void {
    if (secret === '' || this.#known.has(secret)) return;
    this.#known.set(secret, formsOf(secret).map(fragments));
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size > MAX_LEARNT) this.#known.delete(oldest);
  }

  /** Hides what is sent in a conversation, word by word: one of them may be a password. */
  learnWords(sent: Uint8Array | string): void {
    const text = typeof sent === 'string' ? sent : Buffer.from(sent).toString('utf8');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they part words as spaces do
    for (const word of text.split(/[\x00-\x20"'`,;&?=]+/)) {
      if (word.length >= MIN_WORD_LENGTH && !PROTOCOL_WORDS.has(word)) this.learn(word);
    }
  }

  /** `text` without what was learnt. */
  hide(text: string): string {
    if (this.#known.size === 0) return text;
    const folded = foldCase(text);
    const hidden = new Uint8Array(text.length);
    for (const form of this.#known.values()) {
      for (const { length, all } of form) {
        for (let at = 0; at + length <= folded.length; at++) {
          if (all.has(folded.slice(at, at + length))) hidden.fill(1, at, at + length);
        }
      }
    }
    return masked(text, hidden);
  }
}

/** Every part of one form that gives the secret away, in lower case. */
interface Fragments {
  readonly length: number;
  readonly all: ReadonlySet<string>;
}

function fragments(form: string): Fragments {
  const folded = foldCase(form);
  const length = Math.min(folded.length, TELLING_LENGTH);
  const all = new Set<string>();
  for (let at = 0; at + length <= folded.length; at++) all.add(folded.slice(at, at + length));
  return { length, all };
}

/** The secret as servers may write it. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  const digests = ['md5', 'sha1', 'sha256'].map((name) =>
    createHash(name).update(bytes).digest('hex'),
  );
  const escaped = (pattern: RegExp, write: (code: string) => string): string =>
    bytes.toString('latin1').replace(pattern, (one) => write(hexOf(one.charCodeAt(0))));
  const forms = [
    secret,
    bytes.toString('latin1'),
    json,
    json.replaceAll('/', '\\/'),
    json.replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
    escaped(/[^ -~]|["\\]/g, (code) => `\\x${code}`),
    url,
    url.replaceAll('%20', '+'),
    escaped(/[^A-Za-z0-9]/g, (code) => `%${code}`),
    escaped(/[\s\S]/g, (code) => `%${code}`),
    secret.replaceAll("'", "''"),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    secret.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
    bytes.toString('hex'),
    ...[0, 1, 2].map((before) => base64At(before, bytes)),
    ...digests,
  ];
  const urlSafe = forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([...forms, ...urlSafe])].filter((form) => form !== '');
}

/** What is the same in the base64 of every text that has `bytes` behind 3 n + `before` others. */
function base64At(before: number, bytes: Buffer): string {
  const whole = Buffer.concat([Buffer.alloc(before), bytes]);
  const end = Math.floor((whole.length * 8) / 6);
  const part = whole.toString('base64').slice(Math.ceil((before * 8) / 6), end);
  // Two or three letters stand in any text.
  return part.length < 4 ? '' : part;
}

/**
 * Hexadecimal and percent forms come in both cases. Only ASCII changes, so that the length stays:
 * `toLowerCase` makes some other letters longer.
 */
function foldCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function hexOf(code: number): string {
  return code.toString(16).padStart(2, '0');
}

function masked(text: string, hidden: Uint8Array): string {
  let shown = '';
  for (let at = 0; at < text.length; at++) {
    if (hidden[at] === 0) shown += text[at];
    else if (at === 0 || hidden[at - 1] === 0) shown += MASK;
  }
  return shown;
}
