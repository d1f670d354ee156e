/** What a balancer has counted since it was made, for `metrics`. */

/** Counters by backend and a further label. */
type ByReason = ReadonlyMap<string, number>;

export class Counts {
  /** Requests, and tries that followed a failed one. */
  requests = 0;
  retries = 0;
  hedges = 0;
  readonly #refused = new Map<string, number>();
  readonly #transitions = new Map<string, number>();
  readonly #ejections = new Map<string, number>();
  readonly #probeFailures = new Map<string, number>();
  readonly #sourceFailures = new Map<string, number>();

  refusal(reason: string): void {
    add(this.#refused, reason);
  }
  transition(backend: string, to: string): void {
    add(this.#transitions, keyOf(backend, to));
  }
  ejection(backend: string, reason: string): void {
    add(this.#ejections, keyOf(backend, reason));
  }
  probeFailure(backend: string, reason: string): void {
    add(this.#probeFailures, keyOf(backend, reason));
  }
  sourceFailure(source: string, reason: string): void {
    add(this.#sourceFailures, keyOf(source, reason));
  }

  get refused(): ByReason {
    return this.#refused;
  }
  get transitions(): ByReason {
    return this.#transitions;
  }
  get ejections(): ByReason {
    return this.#ejections;
  }
  get probeFailures(): ByReason {
    return this.#probeFailures;
  }
  get sourceFailures(): ByReason {
    return this.#sourceFailures;
  }

  /** Backends that are gone are counted no more: names come and go with discovery. */
  forget(backend: string): void {
    for (const counters of [this.#transitions, this.#ejections, this.#probeFailures]) {
      for (const key of counters.keys()) if (splitKey(key)[0] === backend) counters.delete(key);
    }
  }
}

/** No name holds a zero byte. */
function keyOf(backend: string, label: string): string {
  return `${backend}\0${label}`;
}

/** The backend and the label of a key. */
export function splitKey(key: string): readonly [backend: string, label: string] {
  const at = key.indexOf('\0');
  return [key.slice(0, at), key.slice(at + 1)];
}

function add(counters: Map<string, number>, key: string): void {
  counters.set(key, (counters.get(key) ?? 0) + 1);
}
