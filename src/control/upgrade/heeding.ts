/** What a process does, while it finishes its sessions, at the word of the one that serves. */
import type { BackendId } from '../../core/brand.js';
import type { Log } from '../../observe/log.js';
import { permanenceOf } from '../../session/due.js';
import type { ChannelMessage } from '../../system/line_channel.js';
import { FILTER, filterOf } from '../api/session_filter.js';
import type { Daemon } from '../daemon.js';
import { killSessions } from '../session_list.js';
import { type LeaverOrder, readOrder } from './orders.js';

export interface HeedingDeps {
  readonly daemon: Pick<Daemon, 'handover' | 'inventory' | 'inquiries' | 'fleet' | 'defect'>;
  readonly log: Pick<Log, 'event'>;
  /** What is left here ends as at a signal. */
  readonly stop: () => void;
}

type EndOrder = Extract<LeaverOrder, { kind: 'end' }>;
type KillOrder = Extract<LeaverOrder, { kind: 'kill' }>;

export function heed(message: ChannelMessage, deps: HeedingDeps): void {
  const order = readOrder(message);
  switch (order?.kind) {
    case 'stop':
      return deps.stop();
    case 'overrides':
      return deps.daemon.handover.follow(order.overrides);
    case 'verdict':
      return deps.daemon.handover.followVerdict(order);
    case 'end':
      return end(order, deps);
    case 'spare':
      return deps.daemon.fleet.broadcast({
        kind: 'spare-sessions',
        backends: idsOf(order, deps.daemon.inventory),
      });
    case 'kill':
      void kill(order, deps).catch((error) => deps.daemon.defect(error));
  }
}

function end(order: EndOrder, { daemon }: HeedingDeps): void {
  const { cause, spanMs } = order;
  const how = { cause, spanMs, limit: null, order: permanenceOf(cause) };
  for (const backend of idsOf(order, daemon.inventory)) {
    daemon.fleet.broadcast({ kind: 'end-sessions', backend, ...how });
  }
}

/** By names: rows of the process that serves mean something else here. */
function idsOf(
  { pool, backend }: Pick<EndOrder, 'pool' | 'backend'>,
  { pools }: HeedingDeps['daemon']['inventory'],
): readonly BackendId[] {
  const entries = [...(pools.get(pool)?.backends.values() ?? [])];
  return entries.filter(({ spec }) => spec.name === backend).map(({ id }) => id);
}

async function kill({ asked, spanMs, by }: KillOrder, { daemon, log }: HeedingDeps): Promise<void> {
  // A bound that is unknown here would mean more sessions without it.
  if (!Object.keys(asked).every((bound) => bound in FILTER)) return;
  const filter = filterOf(daemon.inventory, asked);
  if (!filter.ok) return;
  const { killed: sessions } = await killSessions(daemon.inquiries, filter.value, spanMs);
  const detail = `of process ${process.pid}, which leaves`;
  log.event('sessions-killed', { by, sessions, span_ms: spanMs, detail });
}
