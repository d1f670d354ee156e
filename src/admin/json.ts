/** Views as JSON for the outside: snake_case names, times as RFC 3339 text. */

/** `sinceWallMs: 0` becomes `"since": "1970-01-01T00:00:00.000Z"`, `latencyMs` `latency_ms`. */
export function toJson(view: unknown): string {
  return `${JSON.stringify(renamed(view), null, 2)}\n`;
}

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) =>
      name.endsWith('WallMs') && (typeof inner === 'number' || inner === null)
        ? [snakeCase(name.slice(0, -'WallMs'.length)), timeOf(inner)]
        : [snakeCase(name), renamed(inner)],
    ),
  );
}

function timeOf(wallMs: number | null): string | null {
  return wallMs === null ? null : new Date(wallMs).toISOString();
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
