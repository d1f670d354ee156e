/** Times of nginx in milliseconds: `10s`, `1h 30m` as `1h30m`; a bare number is in seconds. */

const MS_BY_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
};

/** Null for what is no time. */
export function nginxMs(text: string): number | null {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text) * 1_000;
  if (!/^(?:[0-9]{1,10}(?:ms|[smhdwMy]))+(?:[0-9]{1,10})?$/.test(text)) return null;
  const parts = [...text.matchAll(/([0-9]+)(ms|[smhdwMy])?/g)];
  return parts.reduce((sum, [, count, unit]) => {
    return sum + Number(count) * (MS_BY_UNIT[unit ?? 's'] ?? 0);
  }, 0);
}
