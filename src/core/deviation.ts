/**
 * What an operator wants instead of what is configured, told: what, by which user, why, since when
 * and until when. All that shows a deviation takes its words from here. Pure.
 */

export const OVERRIDE_KINDS = [
  'drain',
  'maintain',
  'weight',
  'cap',
  'hold',
  'log-level',
  'deny',
] as const;
export type OverrideKind = (typeof OVERRIDE_KINDS)[number];

export interface Deviation {
  /** One of `OVERRIDE_KINDS`, as long as the daemon that tells it is no newer. */
  readonly kind: string;
  readonly value: string | number;
  /** As configured. */
  readonly replaced: string | number;
  /** The user who asked for it. */
  readonly by: string;
  /** In the user's words; may be ''. */
  readonly because: string;
  readonly sinceWallMs: number;
  /** null: until it is ended by an order. */
  readonly untilWallMs: number | null;
}

/**
 * `drained by ada: kernel update (since 2026-11-29T18:00:00Z, until 2026-11-29T20:00:00Z)`. The
 * reason comes before the times: it is what is left where a table is cut.
 */
export function accountOf(one: Deviation): string {
  const { by, because, sinceWallMs, untilWallMs } = one;
  const why = because === '' ? '' : `: ${because}`;
  const until = untilWallMs === null ? '' : `, until ${secondText(untilWallMs)}`;
  return `${deviationText(one)} by ${by}${why} (since ${secondText(sinceWallMs)}${until})`;
}

/** `drained`, `denied`, `weight 50% instead of 100`, `held (at most 1000 wait)`. */
export function deviationText({
  kind,
  value,
  replaced,
}: Pick<Deviation, 'kind' | 'value' | 'replaced'>): string {
  switch (kind) {
    case 'hold':
      return heldText(String(value));
    case 'deny':
      return 'denied';
    case 'drain':
      return 'drained';
    case 'maintain':
      return 'in maintenance';
    default:
      return `${kind} ${value} instead of ${replaced}`;
  }
}

function heldText(value: string): string {
  const [most = '', drains] = value.split(' ');
  const sessions = drains === undefined ? '' : ', existing sessions end';
  return `held (at most ${most} wait${sessions})`;
}

/** RFC 3339, to the second. */
function secondText(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, -'.000Z'.length)}Z`;
}
