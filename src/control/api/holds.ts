/** `/v1/hold`, `/v1/release` and `/v1/log-level`: orders on a pool, and on the daemon. */
import { ok } from '../../core/result.js';
import { LOG_LEVELS } from '../../core/spec.js';
import { hold, logLevel, release } from '../desired/orders.js';
import { holdText, MOST_HELD } from '../desired/override.js';
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
      drain: optional(flag('Existing sessions end, as those of a drained backend do.')),
      for: optional(duration('It ends by itself after this long; absent: 5m.', YEAR_MS, 1)),
      because: PROVENANCE.because,
    },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: ({ body: { pool, max = USUALLY_HELD, drain = false, ...body }, ...asked }) => {
      const value = holdText({ atMost: max, sessions: drain ? 'drain' : 'keep' });
      const by = provenanceOf(deps, { for: USUAL_HOLD_MS, ...given(body), ...asked });
      return change(deps, asked, (sources) => hold(sources, pool, value, by));
    },
  });
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
