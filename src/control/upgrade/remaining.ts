/** What one process says to the next of the counts that it still has, in lines of `remaining`. */
import { isCount } from '../../core/unknown.js';
import type { ChannelMessage } from '../../system/line_channel.js';

/** Where sessions count, by names, as rows are each process's own: see `placeOf…`. */
export type RemainingCount = readonly [place: string, sessions: number];

export interface RemainingCounts {
  /** 0: of the process that says it; from 1 on: of the processes before it, in their order. */
  readonly of: number;
  readonly pid: number;
  /** Whether what is not named has no session, or as many as before. */
  readonly extent: 'all' | 'changes';
  readonly counts: readonly RemainingCount[];
}

/** Those that leave ask for places, where some wait there in vain; the answer has what they get. */
export type PlacesKind = 'ask' | 'granted';

export function placesMessage(kind: PlacesKind, places: readonly RemainingCount[]): ChannelMessage {
  return { kind, places };
}

/** null: it is no such message. */
export function readPlaces(
  kind: PlacesKind,
  message: ChannelMessage,
): readonly RemainingCount[] | null {
  const { kind: found, places } = message;
  return found === kind && Array.isArray(places) && places.every(isRemainingCount) ? places : null;
}

/** Asks for all of it: the process that asks has not received what came before, or not all. */
export const TELL: ChannelMessage = { kind: 'tell' };

/** Names of pools hold no slash. */
export function placeOfBackend(pool: string, backend: string): string {
  return `backend/${pool}/${backend}`;
}

export function placeOfListener(listener: string): string {
  return `listener/${listener}`;
}

export type CountingPlace =
  | { readonly kind: 'backend'; readonly pool: string; readonly key: string }
  | { readonly kind: 'listener'; readonly key: string };

/** Each session counts at one of them, also while it waits for a backend. */
export function isOfListener(place: string): boolean {
  return place.startsWith('listener/');
}

/** null: this version has no such place. */
export function readPlace(place: string): CountingPlace | null {
  const found = /^(?:backend\/([^/]+)|listener)\/(.*)$/s.exec(place);
  if (found === null) return null;
  const [, pool, key = ''] = found;
  return pool === undefined ? { kind: 'listener', key } : { kind: 'backend', pool, key };
}

export function remainingMessage(remaining: RemainingCounts): ChannelMessage {
  return { kind: 'remaining', ...remaining };
}

/** null: it cannot be read. */
export function readRemaining(message: ChannelMessage): RemainingCounts | null {
  const { kind, of, pid, extent, counts } = message;
  if (kind !== 'remaining' || !isCount(of) || !isCount(pid) || !Array.isArray(counts)) return null;
  if (extent !== 'all' && extent !== 'changes') return null;
  return counts.every(isRemainingCount) ? { of, pid, extent, counts } : null;
}

function isRemainingCount(value: unknown): value is RemainingCount {
  return Array.isArray(value) && typeof value[0] === 'string' && isCount(value[1]);
}
