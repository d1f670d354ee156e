/** Figures over time: the difference of two looks at one process. Pure. */
import type { ListedSession, Look, State } from './state.js';

type Looks = Pick<State, 'now' | 'before'>;
type Counts = readonly { readonly count: number }[];

/** A second; null: there is nothing to compare with. Counters only grow. */
export function rate({ now, before }: Looks, figure: (look: Look) => number | undefined) {
  if (now === null || before === null) return null;
  const [later, earlier] = [figure(now), figure(before)];
  const seconds = (now.atMs - before.atMs) / 1_000;
  if (later === undefined || earlier === undefined || seconds <= 0) return null;
  return Math.max(0, later - earlier) / seconds;
}

export function sum(counts: Counts): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

/** Bytes per second, both ways. */
export function sessionRate(looks: Looks, id: string): number | null {
  return rate(looks, ({ sessions }) => {
    const found = sessions?.find((one) => one.id === id);
    return found === undefined ? undefined : volume(found);
  });
}

export function volume({ bytes_in, bytes_out }: ListedSession): number {
  return bytes_in + bytes_out;
}

/** `0`, `0.4`, `17`, `3.2k`, `5.0M`; `-` where there is none yet. */
export function short(value: number | null): string {
  if (value === null) return '-';
  if (value === 0) return '0';
  if (value < 9.95) return value.toFixed(1);
  if (value < 9_999.5) return String(Math.round(value));
  if (value < 999_950) return `${(value / 1e3).toFixed(1)}k`;
  if (value < 999_950_000) return `${(value / 1e6).toFixed(1)}M`;
  return `${(value / 1e9).toFixed(1)}G`;
}
