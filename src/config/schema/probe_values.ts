/** The kinds of values that only probes have: bytes, words, secrets, status ranges, steps. */
import { DNS_RCODES } from '../../core/dns_codes.js';
import { parsePayload } from '../payload.js';
import { fault, fits, type ReadValue, readEach } from '../reading.js';
import { mixed, text, wordList } from './kinds.js';
import { type KeyOptions, type Leaf, listed, table } from './node.js';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

const PAYLOAD = 'text of 1 to 4096 bytes, with escapes as \\r \\n \\x00, or "hex:" and hex digits';
const MAX_RANGES = 32;
/** Longer than any name or path that a probe has use for. */
const MAX_WORD_LENGTH = 255;

/** Bytes of a conversation; there may be a password among them. */
export function payload(example: string, doc: string): Leaf<Uint8Array | undefined> {
  const options = { otherwise: 'nothing', example, doc, sensitive: true } as const;
  return text(options, PAYLOAD, parsePayload);
}

/** What is sent and expected in turn, `[[pools.NAME.health.steps]]`. */
export const STEPS = listed(
  table('One step of a longer conversation: what is sent, then what must be in the answer.', {
    send: payload('PING\\r\\n', 'The bytes to send.'),
    expect: payload('+PONG', 'Bytes that must be in the answer.'),
  }),
);

/**
 * A string that `pattern` describes to machines and `expected` to people. `sensitive`: it is a
 * secret, has one in it, or one may stand there by mistake.
 */
export function word<const O extends KeyOptions & { readonly sensitive?: true }>(
  expected: string,
  pattern: RegExp,
  options: O,
) {
  const read = (raw: string): ReadValue<string> => readWord(raw, expected, pattern);
  return text<string, O>(options, expected, read, pattern.source);
}

const STATUS_ITEM = [
  { type: 'integer', minimum: 100, maximum: 599 },
  { type: 'string', pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$' },
];

/** 200, "200", "200-399", or a list of those. */
export const STATUS_RANGES = mixed(
  { default: '200-399', doc: 'The status codes that mean "up".' },
  '200, "200-399", or a list of such',
  { anyOf: [...STATUS_ITEM, { type: 'array', items: { anyOf: STATUS_ITEM }, minItems: 1 }] },
  (raw): ReadValue<readonly StatusRange[]> => {
    if (!Array.isArray(raw)) {
      const one = readStatus(raw);
      return one.ok ? fits([one.value]) : one;
    }
    if (raw.length === 0) return fault('missing', 'an empty list');
    return raw.length > MAX_RANGES ? fault('too-many', 'too many') : readEach(raw, readStatus);
  },
);

export const RCODES = mixed(
  { default: ['NOERROR'], doc: 'The response codes that mean "up".' },
  `a list of ${wordList(DNS_RCODES.map((code) => JSON.stringify(code)))}`,
  { anyOf: [{ type: 'array', items: { enum: DNS_RCODES }, minItems: 1 }] },
  (raw): ReadValue<readonly string[]> => {
    if (!Array.isArray(raw)) return fault('wrong-type', 'wrong type');
    if (raw.length === 0) return fault('missing', 'an empty list');
    return readEach(raw, (code) =>
      DNS_RCODES.includes(code) ? fits(String(code)) : fault('unknown-value', 'unknown value'),
    );
  },
);

function readWord(raw: string, expected: string, pattern: RegExp): ReadValue<string> {
  if (raw.length > MAX_WORD_LENGTH) return fault('out-of-range', 'too long');
  return pattern.test(raw) ? fits(raw) : fault('malformed', `not ${expected}`);
}

function readStatus(raw: unknown): ReadValue<StatusRange> {
  if (typeof raw === 'number') return readRange(raw, raw);
  if (typeof raw !== 'string') return fault('wrong-type', 'wrong type');
  const match = /^([0-9]{3})(?:-([0-9]{3}))?$/.exec(raw);
  if (match === null) return fault('malformed', 'not a status code or a range of them');
  return readRange(Number(match[1]), Number(match[2] ?? match[1]));
}

function readRange(from: number, to: number): ReadValue<StatusRange> {
  const inRange = [from, to].every((code) => Number.isInteger(code) && code >= 100 && code <= 599);
  if (!inRange) return fault('out-of-range', 'not between 100 and 599');
  return from <= to ? fits({ from, to }) : fault('malformed', 'a range that ends before it begins');
}
