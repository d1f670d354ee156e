/** One source whose server is a test's: it is asked once for each call. */

import { formatAddress } from '../../../src/core/endpoint.js';
import { seededRandom } from '../../../src/core/random.js';
import type { SecretDeps, Source, SourceAnswer } from '../../../src/discovery/source.js';
import { Redactor } from '../../../src/secrets/redactor.js';
import { fastTime } from '../../support/fast_time.js';

const NEVER = new AbortController().signal;

/** Ten seconds of a source are a second of the test. */
export const DEPS: SecretDeps = {
  ...fastTime(10),
  random: seededRandom(1),
  redactor: new Redactor(),
};

/** Whatever takes a source its time, nothing lasts. */
export const TIMELESS: SecretDeps = { ...DEPS, clock: { nowMs: () => 0, wallMs: () => 0 } };

export function asked(source: Source): () => Promise<SourceAnswer> {
  return () => source.ask(NEVER);
}

/** `10.0.0.1:5432`, with what is out of the ordinary behind it; or what failed. */
export function texts(answer: SourceAnswer): readonly string[] | string {
  if (answer.kind === 'failed') return `${answer.failure}: ${answer.problem}`;
  if (answer.kind === 'unchanged') return 'unchanged';
  return answer.members.map(({ address, name, weight, backup, wanted }) =>
    [
      formatAddress(address),
      ...(name === null ? [] : [name]),
      ...(weight === 1 ? [] : [`weight ${weight}`]),
      ...(backup ? ['backup'] : []),
      ...(wanted === 'drain' ? ['drain'] : []),
    ].join(' '),
  );
}
