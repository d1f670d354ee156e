/** `/v1/hold`, `/v1/release` and `/v1/log-level`: orders on a pool, and on the daemon. */
import { formatDuration } from '../../config/quantity.js';
import { err, ok } from '../../core/result.js';
import { LOG_LEVELS, type Spec } from '../../core/spec.js';
import { hold, logLevel, release } from '../desired/orders.js';
import { holdText, MOST_HELD } from '../desired/override.js';
import { ALL_HOLD_MS } from '../held_pools.js';
import {
  CHANGE_ANSWER,
  change,
  given,
  type OverrideDeps,
  PROVENANCE,
  provenanceOf,
  YEAR_MS,
} from './changing.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { badRequest, type Problem } from './problem.js';
import { duration, flag, oneOf, optional, text, whole } from './shape.js';

/** A pool that is not released serves again by itself. */
const USUAL_HOLD_MS = 300_000;
const USUALLY_HELD = 1_000;

export function holdEndpoints(deps: OverrideDeps): readonly ApiEndpoint[] {
  return [holdEndpoint(deps), releaseEndpoint(deps), logLevelEndpoint(deps)];
}

function holdEndpoint(deps: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/hold',
    summary: 'New sessions of a pool wait, and nothing is chosen, until it is released.',
    may: 'change',
    body: {
      pool: text('Its name.', 500),
      max: optional(
        whole('Sessions that may wait; absent: 1000. A further one is refused.', 1, MOST_HELD),
      ),
      drain: optional(
        flag('Existing sessions end, over `drain_spread` of the pool; the hold has to be longer.'),
      ),
      for: optional(duration('It ends by itself after this long; absent: 5m.', YEAR_MS, 1)),
      because: PROVENANCE.because,
    },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: ({ body: { pool, max = USUALLY_HELD, drain = false, ...body }, ...asked }) => {
      const value = holdText({ atMost: max, sessions: drain ? 'drain' : 'keep' });
      const { for: forMs = USUAL_HOLD_MS } = body;
      const by = provenanceOf(deps, { ...given(body), for: forMs, ...asked });
      return change(deps, asked, (sources) => {
        const problem = drain ? tooShort(sources.configured, pool, forMs) : null;
        return problem === null ? hold(sources, pool, value, by) : err(problem);
      });
    },
  });
}

/** Sessions that end when their pool is open again go back to where they were. */
function tooShort({ pools }: Spec, name: string, forMs: number): Problem | null {
  const { drainSpreadMs = 0 } = pools.find((one) => one.name === name) ?? {};
  const leastMs = ALL_HOLD_MS + drainSpreadMs;
  if (forMs > leastMs) return null;
  return badRequest(
    `The hold would end before the existing sessions have: with drain they do so over ${formatDuration(drainSpreadMs)} (drain_spread of pool ${name}). Hold it for more than ${formatDuration(leastMs)} (--for), or set a shorter drain_spread.`,
  );
}

function releaseEndpoint(deps: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/release',
    summary: 'Ends the hold of a pool: those that wait are served in their order.',
    may: 'change',
    body: { pool: text('Its name.', 500) },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: ({ body: { pool }, ...asked }) =>
      change(deps, asked, (sources) => release(sources, pool)),
  });
}

function logLevelEndpoint(deps: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/log-level',
    summary: 'Another level of the log; the configured one ends the override.',
    may: 'change',
    body: { level: oneOf('The least severe events that are written.', LOG_LEVELS), ...PROVENANCE },
    answer: CHANGE_ANSWER,
    fails: [409],
    tagged: 'overrides',
    handle: ({ body: { level, ...body }, ...asked }) => {
      const by = provenanceOf(deps, { ...given(body), ...asked });
      return change(deps, asked, (sources) => ok(logLevel(sources, level, by)));
    },
  });
}
