/**
 * A daemon inside another command: the same parts as `sluice run`, but without a file, signals or
 * a service manager. Its log goes to standard error, so that standard output is the command's own.
 */
import { type AdminServer, startAdmin } from '../admin/http.js';
import type { AdminViews } from '../admin/views.js';
import { assert } from '../core/assert.js';
import { formatAddress } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';
import type { Spec } from '../core/spec.js';
import { createLog } from '../observe/log.js';
import { RecentEvents } from '../observe/recent_events.js';
import { systemClock } from '../system/clock.js';
import { openOutput } from '../system/output.js';
import { systemTimers } from '../system/timers.js';
import { socketDescriptors } from './admin_sockets.js';
import { lookingEndpoints } from './api/all.js';
import type { Caller } from './api/caller.js';
import { refusalOf } from './api/problem.js';
import { createRouter, PREFIX } from './api/router.js';
import { ApiTurns } from './api/turns.js';
import { assemble } from './assemble.js';
import type { Daemon } from './daemon.js';
import type { LastHour } from './last_hour.js';

const STANDARD_ERROR = 2;

const ANY_CALLER: Caller = {
  name: 'unknown',
  may: 'look',
  why: 'here things are looked at, and not changed',
};

export interface Embedded {
  readonly views: AdminViews;
  /** `address:port` of the admin endpoint, with its real port. */
  readonly admin: string;
  /** Lets sessions finish as `shutdown_timeout` says, and ends every thread. */
  stop(): Promise<void>;
}

/** Starts a daemon for `spec`, which has an admin endpoint; or says why it cannot run here. */
export async function startEmbedded(
  spec: Spec,
  version: string,
): Promise<Result<Embedded, string>> {
  const { http } = spec.admin;
  assert(http !== null, 'an embedded daemon has an admin endpoint');
  const parts = { clock: systemClock, timers: systemTimers, recent: new RecentEvents() };
  const log = createLog({ ...parts, spec: spec.log, write: openOutput(STANDARD_ERROR) });
  const readWallMs = systemClock.wallMs();
  const about = { version, config: () => ({ hash: 'embedded', readWallMs }) };
  const assembled = assemble(spec, log, about);
  if (!assembled.ok) return assembled;
  const { daemon, views, lastHour, traffic, ledger, clients } = assembled.value;
  const connections = assembled.value.adminConnections;
  const started = await daemon.start();
  if (!started.ok) return err(started.error.join('; '));
  const overrides = () => daemon.desires.overrides;
  const kept = { trouble: null };
  const shown = { views, daemon, overrides, kept, lastHour, traffic, ledger, clients };
  const looking = { ...parts, ...shown, log };
  const router = createRouter(
    lookingEndpoints(looking),
    version,
    new ApiTurns(setImmediate, systemClock),
  );
  const site = await startAdmin(http, {
    views,
    clock: systemClock,
    timers: systemTimers,
    sockets: socketDescriptors(assembled.value.kernel),
    hosts: () => spec.admin.hosts,
    connections,
    defect: (error) => daemon.defect(error),
    slow: () => {},
    control: {
      maxBodyBytes: 0,
      prefix: `${PREFIX}/`,
      answer: (request) => router(request, () => ANY_CALLER),
      refuse: refusalOf,
      refusal: async () => null,
    },
  });
  if (!site.ok) {
    await daemon.stop();
    return err(`cannot serve the admin page on ${formatAddress(http)}: ${site.error.detail}`);
  }
  const admin = formatAddress(site.value.endpoint);
  return ok({ views, admin, stop: () => stop(daemon, site.value, lastHour) });
}

async function stop(daemon: Daemon, site: AdminServer, lastHour: LastHour): Promise<void> {
  lastHour.end();
  await daemon.stop();
  await site.close();
}
