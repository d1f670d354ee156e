/** `/v1/overrides`, and the orders that set and end them: drain, weight, reset … */
import { ok } from '../../core/result.js';
import { end, order, type WantedValue } from '../desired/orders.js';
import { type Override, PERCENTAGE } from '../desired/override.js';
import {
  CHANGE_ANSWER,
  type Changed,
  type ChangeRequest,
  change,
  etagOf,
  OVERRIDE,
  type OverrideDeps,
  PROVENANCE,
  provenanceOf,
  type Reasons,
  shownOverride,
} from './changing.js';
import { denialEndpoints } from './denials.js';
import { type ApiEndpoint, type ApiResult, endpoint } from './endpoint.js';
import { holdEndpoints } from './holds.js';
import { list, optional, page, text, whole, wholeOrText } from './shape.js';

const MAX_NAMES = 1_000;
const USUAL_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
const MAX_WEIGHT = 1_000;
const MAX_CAP = 1_000_000;

export const OVERRIDES = page(OVERRIDE);

const names = list(
  '`POOL/BACKEND`, or `POOL/*` for all of a pool.',
  text('A name.', 500),
  MAX_NAMES,
);
export function overrideEndpoints(deps: OverrideDeps): readonly ApiEndpoint[] {
  return [
    overridesEndpoint(deps),
    stateEndpoint(deps, 'drain', 'drained', 'No new sessions; existing ones may finish.'),
    stateEndpoint(deps, 'maintain', 'maintenance', 'The same, and it is not probed either.'),
    endingEndpoint(
      deps,
      '/ready',
      isState,
      'Ends drain and maintenance, with the slow start of the pool; leaves weight and cap.',
    ),
    weightEndpoint(deps),
    capEndpoint(deps),
    ...holdEndpoints(deps),
    ...denialEndpoints(deps),
    endingEndpoint(deps, '/reset', () => true, 'Ends all that deviates from the configuration.'),
  ];
}

function overridesEndpoint({ daemon, started }: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'GET',
    path: '/overrides',
    summary: 'What deviates from the configuration: who changed it, why, since and until when.',
    may: 'look',
    query: {
      limit: optional(whole('Items of one answer.', 1, MAX_LIMIT)),
      cursor: optional(whole('`next` of the answer before.', 0, Number.MAX_SAFE_INTEGER)),
    },
    answer: OVERRIDES,
    tagged: 'overrides',
    handle: ({ query: { limit = USUAL_LIMIT, cursor = 0 } }) => {
      const { overrides, revision } = daemon.desires;
      const items = overrides.slice(cursor, cursor + limit).map(shownOverride);
      const next = cursor + limit < overrides.length ? String(cursor + limit) : null;
      return ok({ value: { items, next }, etag: etagOf(started, revision) });
    },
  });
}

function stateEndpoint(
  deps: OverrideDeps,
  kind: 'drain' | 'maintain',
  value: 'drained' | 'maintenance',
  summary: string,
): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: `/${kind}`,
    summary,
    may: 'change',
    body: { backends: names, ...PROVENANCE },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: ({ body, ...asked }) => setting(deps, { ...asked, ...body }, { kind, value }),
  });
}

/** Ends those overrides of the backends that `which` means. */
function endingEndpoint(
  deps: OverrideDeps,
  path: '/ready' | '/reset',
  which: (override: Override) => boolean,
  summary: string,
): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path,
    summary,
    may: 'change',
    body: { backends: names },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: ({ body, ...asked }) =>
      change(deps, asked, (sources) => end(sources, body.backends, which)),
  });
}

function weightEndpoint(deps: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/weight',
    summary: 'Another weight, or a share of the configured one.',
    may: 'change',
    body: {
      backends: names,
      value: wholeOrText('0 to 1000, or `50%` of the configured weight.', MAX_WEIGHT, PERCENTAGE),
      ...PROVENANCE,
    },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: ({ body, ...asked }) =>
      setting(deps, { ...asked, ...body }, { kind: 'weight', value: body.value }),
  });
}

function capEndpoint(deps: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/cap',
    summary: 'Another cap of sessions.',
    may: 'change',
    body: {
      backends: names,
      value: whole('Sessions at the same time, at most; 0: any number.', 0, MAX_CAP),
      ...PROVENANCE,
    },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: ({ body, ...asked }) =>
      setting(deps, { ...asked, ...body }, { kind: 'cap', value: body.value }),
  });
}

interface Setting extends ChangeRequest, Reasons {
  readonly backends: readonly string[];
}

function setting(
  deps: OverrideDeps,
  asked: Setting,
  wanted: WantedValue,
): Promise<ApiResult<Changed>> {
  const provenance = provenanceOf(deps, asked);
  return change(deps, asked, (sources) => order(sources, asked.backends, wanted, provenance));
}

function isState({ kind }: Override): boolean {
  return kind === 'drain' || kind === 'maintain';
}
