/**
 * The errors of requests that get no backend: why, and what every backend has been passed over for.
 */
import type { Random } from '../core/random.js';
import type { Pool } from '../pool/pool.js';
import { clientKeyOf } from './client_key.js';
import type { Counts } from './counts.js';
import { type NoBackendCode, NoBackendError } from './errors.js';
import type { States } from './states.js';
import type { Asker } from './waiting.js';

export interface NoBackendErrorsDeps {
  readonly pool: Pool;
  readonly states: States;
  readonly counts: Counts;
  readonly random: Random;
}

export class NoBackendErrors {
  readonly #deps: NoBackendErrorsDeps;

  constructor(deps: NoBackendErrorsDeps) {
    this.#deps = deps;
  }

  /** Of a request, which is counted. */
  refuse(code: NoBackendCode, { tried }: Pick<Asker, 'tried'>, cause?: unknown): Error {
    this.#deps.counts.refusal(code);
    return this.error(code, tried, cause);
  }

  error(code: NoBackendCode, tried: Asker['tried'], cause?: unknown): Error {
    const { pool, states, random } = this.#deps;
    const explained = pool.explain({ clientKey: clientKeyOf(undefined), tried }, random);
    const reasons = Object.fromEntries(
      explained.members.flatMap(({ name, reason }) =>
        reason === null ? [] : [[name, reason] as const],
      ),
    );
    const names = (tried ?? []).map((id) => states.roll.byId(id)?.spec.name ?? '');
    return new NoBackendError(states.roll.pool.spec.name, code, reasons, names, cause);
  }
}
