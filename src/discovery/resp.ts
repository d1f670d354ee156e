/** Replies of Redis' protocol (RESP2), as sentinels send them. Pure. */

export type RespReply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly RespReply[] }
  | { readonly kind: 'null' };

/** Replies nest two deep, and an answer on replicas has some thousand items. */
const MAX_DEPTH = 4;
const MAX_ITEMS = 100_000;

export type ParsedReply =
  | { readonly kind: 'reply'; readonly reply: RespReply; readonly next: number }
  /** More bytes are needed. */
  | { readonly kind: 'part' }
  | { readonly kind: 'garbage' };

/** The reply that begins at `at`. */
export function parseReply(bytes: Buffer, at: number, depth = 0): ParsedReply {
  const end = bytes.indexOf('\r\n', at, 'latin1');
  if (end === -1) return { kind: 'part' };
  const line = bytes.toString('utf8', at + 1, end);
  const next = end + 2;
  switch (bytes[at]) {
    case 0x2b: // +
    case 0x3a: // :
      return { kind: 'reply', reply: { kind: 'text', text: line }, next };
    case 0x2d: // -
      return { kind: 'reply', reply: { kind: 'error', text: line }, next };
    case 0x24: // $
      return parseBulk(bytes, next, line);
    case 0x2a: // *
      return parseArray(bytes, next, line, depth);
    default:
      return { kind: 'garbage' };
  }
}

function parseBulk(bytes: Buffer, at: number, line: string): ParsedReply {
  if (line === '-1') return { kind: 'reply', reply: { kind: 'null' }, next: at };
  if (!/^\d{1,9}$/.test(line)) return { kind: 'garbage' };
  const end = at + Number(line);
  if (bytes.length < end + 2) return { kind: 'part' };
  const text = bytes.toString('utf8', at, end);
  return { kind: 'reply', reply: { kind: 'text', text }, next: end + 2 };
}

function parseArray(bytes: Buffer, at: number, line: string, depth: number): ParsedReply {
  if (line === '-1') return { kind: 'reply', reply: { kind: 'null' }, next: at };
  if (!/^\d{1,6}$/.test(line) || depth >= MAX_DEPTH) return { kind: 'garbage' };
  const count = Number(line);
  if (count > MAX_ITEMS) return { kind: 'garbage' };
  const items: RespReply[] = [];
  let next = at;
  for (let item = 0; item < count; item++) {
    const parsed = parseReply(bytes, next, depth + 1);
    if (parsed.kind !== 'reply') return parsed;
    items.push(parsed.reply);
    next = parsed.next;
  }
  return { kind: 'reply', reply: { kind: 'array', items }, next };
}
