/** The values that only probes have: status ranges, bytes, host names, paths, steps. */
import { parsePayload } from '../payload.js';
import { fault, fits, type Reading, readEach } from '../reading.js';
import { type KeyOptions, type Leaf, listed, mixed, table, text, wordList } from './kinds.js';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

const PAYLOAD = 'text of 1 to 4096 bytes, with escapes as \\r \\n \\x00, or "hex:" and hex digits';
const MAX_RANGES = 32;
/** Longer names than any of these servers takes. */
const MAX_TEXT = 255;

export function payload<const O extends KeyOptions>(options: O): Leaf<Uint8Array | undefined> {
  return text({ otherwise: 'nothing', doc: options.doc }, PAYLOAD, parsePayload);
}

/** What is said and heard in turn, `[[pools.NAME.health.steps]]`. */
export const STEPS = listed(
  table('One step of a longer conversation: what is sent, then what must be in the answer.', {
    send: payload({ otherwise: 'nothing', doc: 'Bytes to send.' }),
    expect: payload({ otherwise: 'nothing', doc: 'Bytes that must be in the answer.' }),
  }),
);

/** A word without spaces and control characters, of `pattern` if there is one. */
export function word(doc: string, otherwise: string, expected: string, pattern: RegExp) {
  return text(
    { otherwise, doc },
    expected,
    (raw) => {
      if (raw.length > MAX_TEXT) return fault('out-of-range', 'too long');
      return pattern.test(raw) ? fits(raw) : fault('malformed', `not ${expected}`);
    },
    pattern.source,
  );
}

/** A file's path or a variable's name; whatever else stands there may be the secret itself. */
export function secretWord(doc: string, expected: string, pattern: RegExp) {
  return text(
    { otherwise: 'none', doc, sensitive: true },
    expected,
    (raw) => (pattern.test(raw) ? fits(raw) : fault('malformed', `not ${expected}`)),
    pattern.source,
  );
}

const STATUS_ITEM = {
  anyOf: [
    { type: 'integer', minimum: 100, maximum: 599 },
    { type: 'string', pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$' },
  ],
};

/** 200, "200", "200-399", or a list of those. */
export const STATUS = mixed(
  { otherwise: '"200-399"', doc: 'http: the status codes that mean "up".' },
  '200, "200-399", or a list of such',
  { anyOf: [...STATUS_ITEM.anyOf, { type: 'array', items: STATUS_ITEM, minItems: 1 }] },
  (raw): Reading<readonly StatusRange[]> => {
    if (!Array.isArray(raw)) {
      const one = readStatus(raw);
      return one.ok ? fits([one.value]) : one;
    }
    if (raw.length === 0) return fault('missing', 'an empty list');
    return raw.length > MAX_RANGES ? fault('too-many', 'too many') : readEach(raw, readStatus);
  },
);

const RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
] as const;

/** Response codes of RFC 1035, section 4.1.1, and RFC 2136, section 2.2. */
export const DNS_RCODES = mixed(
  { otherwise: '["NOERROR"]', doc: 'dns: the response codes that mean "up".' },
  `a list of ${wordList(RCODES.map((code) => JSON.stringify(code)))}`,
  { anyOf: [{ type: 'array', items: { enum: RCODES }, minItems: 1 }] },
  (raw): Reading<readonly string[]> => {
    if (!Array.isArray(raw)) return fault('wrong-type', 'wrong type');
    if (raw.length === 0) return fault('missing', 'an empty list');
    return readEach(raw, (code) =>
      RCODES.includes(code) ? fits(String(code)) : fault('unknown-value', 'unknown value'),
    );
  },
);

function readStatus(raw: unknown): Reading<StatusRange> {
  if (typeof raw === 'number') return readRange(raw, raw);
  if (typeof raw !== 'string') return fault('wrong-type', 'wrong type');
  const match = /^([0-9]{3})(?:-([0-9]{3}))?$/.exec(raw);
  if (match === null) return fault('malformed', 'not a status code or a range of them');
  return readRange(Number(match[1]), Number(match[2] ?? match[1]));
}

function readRange(from: number, to: number): Reading<StatusRange> {
  const inRange = [from, to].every((code) => Number.isInteger(code) && code >= 100 && code <= 599);
  if (!inRange) return fault('out-of-range', 'not between 100 and 599');
  return from <= to ? fits({ from, to }) : fault('malformed', 'a range that ends before it begins');
}
