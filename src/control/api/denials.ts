/** `/v1/deny` and `/v1/admit`: clients that may come to no listener. */
import { blockText, readBlock } from '../../core/address_text.js';
import { err, ok, type Result } from '../../core/result.js';
import { admit, deny } from '../desired/orders.js';
import {
  CHANGE_ANSWER,
  change,
  given,
  type OverrideDeps,
  PROVENANCE,
  provenanceOf,
} from './changing.js';
import { deniedVersion } from './denied_versions.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { badRequest, type Problem, refused } from './problem.js';
import { text } from './shape.js';

/** Longer lists belong into a file of `deny_files`. */
const MOST_DENIED = 1_000;

export function denialEndpoints(deps: OverrideDeps): readonly ApiEndpoint[] {
  return [denyEndpoint(deps), admitEndpoint(deps)];
}

function denyEndpoint(deps: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/deny',
    summary: 'New sessions of these clients are refused as `denied`, at every listener.',
    may: 'change',
    body: { client: text('An address, or a CIDR block.', 100), ...PROVENANCE },
    answer: CHANGE_ANSWER,
    fails: [409],
    tagged: 'overrides',
    handle: async ({ body: { client, ...body }, ...asked }) => {
      const block = blockOf(client);
      if (!block.ok) return block;
      const denied = deps.daemon.desires.overrides.filter(({ kind }) => kind === 'deny');
      if (denied.length >= MOST_DENIED) {
        const help = 'end some with admit, or put them into a file of deny_files';
        return err(refused(`${MOST_DENIED} blocks are denied already: ${help}.`));
      }
      const by = provenanceOf(deps, { ...given(body), ...asked });
      const done = await change(deps, asked, (sources) => ok(deny(sources, block.value, by)));
      const warning = deniedVersion(block.value);
      if (!done.ok || warning === null) return done;
      const { value } = done.value;
      const notes = [`Take care: ${warning}.`, ...value.notes];
      return ok({ ...done.value, value: { ...value, notes } });
    },
  });
}

function admitEndpoint(deps: OverrideDeps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/admit',
    summary: 'Ends a denial.',
    may: 'change',
    body: { client: text('The block that was denied.', 100) },
    answer: CHANGE_ANSWER,
    fails: [404, 409],
    tagged: 'overrides',
    handle: async ({ body: { client }, ...asked }) => {
      const block = blockOf(client);
      if (!block.ok) return block;
      return change(deps, asked, (sources) => admit(sources, block.value));
    },
  });
}

/** The same text for the same block. */
function blockOf(client: string): Result<string, Problem> {
  const block = readBlock(client);
  if (block.ok) return ok(blockText(block.value));
  return err(badRequest(`client: ${block.error.problem}: ${client}`));
}
