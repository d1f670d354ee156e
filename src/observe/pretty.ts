/** Log lines for people at a terminal: one readable line instead of one JSON object. */

/** Said by the line itself, before the fields. */
const HEAD = new Set(['level', 'time', 'event', 'msg', 'remedy']);

/**
 * `12:04:05.123 WARN  A backend is down. [backend-down] pool=pg backend=pg1 …`; ends in a line
 * feed.
 */
export function prettyLine(json: string): string {
  const record = JSON.parse(json) as Record<string, unknown>;
  const time = String(record['time']).slice(11, 23);
  const level = String(record['level']).toUpperCase().padEnd(5);
  const fields = Object.entries(record)
    .filter(([name, value]) => !HEAD.has(name) && value !== null)
    .map(([name, value]) => ` ${name}=${show(value)}`);
  const remedy = record['remedy'] === undefined ? '' : `\n      remedy: ${record['remedy']}`;
  return `${time} ${level} ${record['msg']} [${record['event']}]${fields.join('')}${remedy}\n`;
}

/**
 * Bare where it reads well, quoted where spaces or quotes would blur the border. Control characters
 * are spelt out: some text comes from the network, and a terminal obeys escape sequences.
 */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return Object.values(value).map(show).join('/');
  const text = String(value).replace(/\p{Cc}/gu, spellOut);
  return /^[^\s"=]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

function spellOut(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
