/**
 * p2c over expected waiting: peak-EWMA latency times the sessions that would share it, a unit of
 * weight (Finagle's and linkerd's "least loaded by peak EWMA").
 *
 * Nothing is known about a new backend, nor about one that was avoided until its latency decayed.
 * Finagle gives such a one a single request and a penalty until that returns; TCP sessions last, so
 * that would starve it. Here load alone decides while either latency is unknown: the new backend
 * gets its fair share of sessions at most, and the first connect makes it known.
 */
import type { Random } from '../core/random.js';
import { DrawingChooser } from './drawing_chooser.js';
import { leastTold, loadOf, memberName, onlyOne, round } from './load.js';
import type { Candidates, Chooser, Policy, PolicyMember } from './policy.js';

export class LeastLatency implements Policy {
  readonly name = 'least-latency';
  readonly needs = { clientKey: false, latency: true, counts: false };
  #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[]) {
    this.#members = members;
  }

  over(candidates: Candidates): Chooser {
    return new LeastLatencyChooser(this.#members, candidates);
  }

  update(members: readonly PolicyMember[]): void {
    this.#members = members;
  }
}

class LeastLatencyChooser extends DrawingChooser {
  readonly #members: readonly PolicyMember[];

  constructor(members: readonly PolicyMember[], candidates: Candidates) {
    super(members.length, candidates);
    this.#members = members;
  }

  choose(_: Uint8Array, random: Random): number {
    const { candidates, weighted } = this;
    if (candidates.count === 1) return candidates.at(0);
    const first = weighted.draw(random);
    const second = weighted.drawOther(random, first);
    return isBetter(candidates, second, first) ? second : first;
  }

  scoreOf(member: number): number | null {
    const latencyMs = this.candidates.latencyMsOf(member);
    return latencyMs === 0 ? null : latencyMs * loadOf(this.candidates, member);
  }

  protected sentence(chosen: number): string {
    const { candidates } = this;
    const { count } = candidates;
    if (count === 1) return onlyOne(this.#describe(chosen));
    const waitOf = (member: number): number =>
      candidates.latencyMsOf(member) * loadOf(candidates, member);
    const found = leastTold(candidates, waitOf, chosen, (member) => this.#describe(member));
    const how = count === 2 ? 'both' : 'two draws';
    return `Takes the lesser wait of ${how} among ${count} eligible backends; ${found}.`;
  }

  #describe(member: number): string {
    const { candidates } = this;
    const name = memberName(this.#members, member);
    const known = candidates.latencyMsOf(member);
    return known > 0
      ? `${name} (${round(known)} ms times load ${loadOf(candidates, member).toFixed(2)})`
      : `${name} (latency not known yet, ${candidates.activeOf(member)} active; load alone decides)`;
  }
}

function isBetter(candidates: Candidates, candidate: number, than: number): boolean {
  const candidateLoad = loadOf(candidates, candidate);
  const load = loadOf(candidates, than);
  const candidateMs = candidates.latencyMsOf(candidate);
  const ms = candidates.latencyMsOf(than);
  if (candidateMs === 0 || ms === 0) return candidateLoad < load;
  return candidateMs * candidateLoad < ms * load;
}
