/**
 * The addresses of this machine that a pool dials from, in turn: as many connections to one backend
 * are possible as all of them have ports. Each worker has turns of its own.
 */
import type { Endpoint, IpEndpoint } from '../core/endpoint.js';

/** Where nothing is configured, or nothing of the backend's family: the kernel chooses. */
const ANY: readonly [null] = [null];

export type SourceList = readonly [first: IpEndpoint | null, ...further: IpEndpoint[]];

export class SourceTurns {
  #turn = 0;

  /** Those of `all` that can reach `target`: whose turn it is comes first. */
  next(all: readonly IpEndpoint[], target: Endpoint): SourceList {
    if (all.length === 0 || target.kind === 'unix') return ANY;
    const fit = all.filter(({ family }) => family === target.family);
    const at = this.#turn++ % Math.max(1, fit.length);
    const [first, ...further] = [...fit.slice(at), ...fit.slice(0, at)];
    return first === undefined ? ANY : [first, ...further];
  }
}
