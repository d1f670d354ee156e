/** Every endpoint of the control API, in the order of its document. */
import type { Clock, Timers } from '../../core/clock.js';
import type { Log } from '../../observe/log.js';
import type { RecentEvents } from '../../observe/recent_events.js';
import type { ClientTable } from '../../pool/client_table.js';
import type { Ledger } from '../../pool/ledger.js';
import type { BackendTraffic } from '../backend_traffic.js';
import type { Daemon } from '../daemon.js';
import type { DaemonViews } from '../daemon_views.js';
import type { Override } from '../desired/override.js';
import type { FileInUse } from '../file_in_use.js';
import type { KeptOverrides } from '../kept_overrides.js';
import type { LastHour } from '../last_hour.js';
import type { Reloads } from '../reloads.js';
import type { Upgrades } from '../upgrade/upgrades.js';
import { etagOf } from './changing.js';
import { clientsEndpoint } from './clients.js';
import { discoveryEndpoint } from './discovery.js';
import type { ApiEndpoint } from './endpoint.js';
import { eventsEndpoint, whyEndpoint } from './events.js';
import { explainEndpoint } from './explain.js';
import { hourEndpoint } from './hour.js';
import { listEndpoints } from './lists.js';
import { liveEndpoint } from './live.js';
import { overrideEndpoints } from './overrides.js';
import { guarded } from './precondition.js';
import { reloadEndpoint } from './reload.js';
import { killEndpoint, sessionsEndpoint } from './sessions.js';
import { statusEndpoint } from './status.js';
import { upgradeEndpoint } from './upgrade.js';

/** What the endpoints ask and order. */
export interface ApiDeps {
  readonly views: DaemonViews;
  readonly inUse: FileInUse;
  readonly reloads: Reloads;
  readonly upgrades: Pick<Upgrades, 'ask' | 'order'>;
  readonly daemon: Daemon;
  /** Those that are in force. */
  readonly overrides: () => readonly Override[];
  readonly lastHour: LastHour;
  /** What a backend has done so far. */
  readonly traffic: (pool: string, backend: string) => BackendTraffic;
  readonly kept: Pick<KeptOverrides, 'settled' | 'trouble'>;
  readonly ledger: Ledger;
  readonly clients: ClientTable;
  readonly recent: RecentEvents;
  readonly log: Log;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Distinguishes this process from others, in tags of what was looked at. */
  readonly started: string;
}

/** Those that only look at what is shown. */
export interface LookDeps
  extends Omit<ApiDeps, 'inUse' | 'reloads' | 'upgrades' | 'kept' | 'started'> {
  readonly kept: Pick<KeptOverrides, 'trouble'>;
}

/** What a page shows that changes nothing. */
export function lookingEndpoints(deps: LookDeps): readonly ApiEndpoint[] {
  return [
    statusEndpoint(deps),
    ...listEndpoints(deps),
    sessionsEndpoint(deps),
    clientsEndpoint(deps),
    explainEndpoint(deps),
    whyEndpoint(deps),
    eventsEndpoint(deps),
    liveEndpoint(deps),
    hourEndpoint(deps),
    discoveryEndpoint(deps),
  ];
}

export function endpointsOf(deps: ApiDeps): readonly ApiEndpoint[] {
  const { daemon, started } = deps;
  const all = [
    ...lookingEndpoints(deps),
    killEndpoint(deps),
    ...overrideEndpoints(deps),
    reloadEndpoint(deps),
    upgradeEndpoint(deps),
  ];
  return all.map((one) => guarded(one, () => etagOf(started, daemon.desires.revision)));
}
