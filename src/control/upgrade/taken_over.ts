/** What a process begins with that takes the place of another one. */
import { type Remembered, readRemembered } from '../../discovery/remembered_text.js';
import type { Log } from '../../observe/log.js';
import type { RecentEvents } from '../../observe/recent_events.js';
import type { KeptState } from '../daemon_deps.js';
import { readKept } from '../desired/kept_text.js';
import type { Override } from '../desired/override.js';
import type { KeptMembers } from '../kept_members.js';
import type { KeptOverrides } from '../kept_overrides.js';
import type { HandedSocket } from '../kept_sockets.js';
import { takeOverEvents } from './past_events.js';
import type { Predecessor } from './predecessor.js';

export interface TakenOver {
  /** Of listeners. */
  readonly sockets: readonly HandedSocket[];
  /** null: those on disk are the newest that there are. */
  readonly overrides: readonly Override[] | null;
  readonly members: readonly Remembered[] | null;
}

/** Where both are kept on disk. */
interface OnDisk {
  readonly overrides: KeptOverrides;
  readonly members: KeptMembers;
}

/**
 * What was in force, from now on kept on disk; what was handed over is newer than what is there.
 * What changes goes to the process before, too.
 */
export async function keptBefore(
  { overrides, members }: OnDisk,
  told: TakenOver,
  predecessor: Predecessor | null,
) {
  const inForce = await overrides.load(told.overrides);
  const known = await members.load();
  return {
    overrides: inForce,
    keepOverrides: (all: readonly Override[]) => {
      overrides.keep(all);
      predecessor?.order({ kind: 'overrides', overrides: all });
    },
    members: told.members ?? known,
    keepMembers: (all: readonly Remembered[]) => members.keep(all),
  };
}

/** When this process may serve, and with what state. */
export function takeover(
  predecessor: Predecessor | null,
  log: Pick<Log, 'event'>,
  recent: RecentEvents,
): Pick<KeptState, 'takesOver' | 'handed'> {
  if (predecessor === null) return { takesOver: null, handed: null };
  const { handed } = predecessor;
  takeOverEvents(handed, recent);
  const takesOver = async () => {
    const done = await predecessor.prepared();
    handed.settle();
    const trouble = handed.takeTrouble();
    if (trouble !== null) log.event('upgrade-in-part', { detail: trouble });
    return done;
  };
  return { takesOver, handed };
}

/** A message that cannot be read leaves the sockets. */
export async function receiveTakenOver(
  predecessor: Predecessor | null,
  log: Pick<Log, 'event'>,
): Promise<TakenOver> {
  if (predecessor === null) return { sockets: [], overrides: null, members: null };
  const begin = await predecessor.begin();
  if (begin === null) {
    const detail = 'what the process before this one sends cannot be read';
    log.event('upgrade-bare', { detail });
  }
  return {
    sockets: predecessor.sockets(begin),
    overrides: begin === null ? null : (readKept(begin.overrides)?.overrides ?? null),
    members: begin === null ? null : readRemembered(begin.members),
  };
}
