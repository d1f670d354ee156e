/**
 * A world of backends for the checker's tests: each serves, refuses or stays silent, and answers
 * after its latency on the fake clock. Its probes end by their signal, as the contract wants.
 */
import type { CutOffSignal } from '../../src/core/cut_off.js';
import type { HealthSpec, ProbeSpec } from '../../src/core/health_spec.js';
import type { Random } from '../../src/core/random.js';
import { HealthChecker } from '../../src/health/checker.js';
import type { Probe, ProbeResult } from '../../src/health/probe.js';
import type { HealthTarget } from '../../src/health/target.js';
import { FakeTime } from '../support/fake_time.js';

export const OK: ProbeResult = { ok: true, share: 1, note: '' };
export const TIMED_OUT: ProbeResult = { ok: false, failure: 'timeout', detail: 'timed out' };
export const REFUSED: ProbeResult = { ok: false, failure: 'refused', detail: 'connection refused' };

/** null: silent, only the signal ends the attempt. `breaks`: it throws or rejects. */
type Behaviour = ProbeResult | null | { readonly breaks: 'at once' | 'later' };

export interface Attempt {
  readonly port: number;
  readonly startMs: number;
  readonly probe: ProbeSpec['kind'];
  readonly preludeBytes: number;
}

export class World {
  readonly time = new FakeTime();
  readonly attempts: Attempt[] = [];
  /** What was reported, one short line each. */
  readonly told: string[] = [];
  readonly defects: unknown[] = [];
  /** Called with each line, from inside the report. */
  whenTold: (line: string) => void = () => {};
  readonly checker: HealthChecker;
  latencyMs = 1;
  inFlight = 0;
  mostInFlight = 0;
  readonly #behaviours = new Map<number, Behaviour>();
  /** As the board of backends remembers them, whatever the checker forgets. */
  readonly #shares = new Map<string, number>();

  constructor(random: Random) {
    const deps = {
      clock: this.time,
      timers: this.time,
      random,
      createProbe: (spec: ProbeSpec) => this.#probe(spec),
      defect: (error: unknown) => void this.defects.push(error),
    };
    this.checker = new HealthChecker(deps, {
      onVerdict: ({ key, state, reason }) => this.#tell(`${key} ${state}: ${reason}`),
      onAttempt: ({ key, result }) => {
        if (!result.ok && result.failure === 'timeout') this.#tell(`${key} timeout`);
      },
      onShare: ({ key, share }) => {
        if (share !== (this.#shares.get(key) ?? 1)) this.#tell(`${key} share ${share}`);
        this.#shares.set(key, share);
      },
    });
  }

  /** From now on the backend at `port` answers so; without a call it serves. */
  set(port: number, behaviour: Behaviour): void {
    this.#behaviours.set(port, behaviour);
  }

  starts(port: number): number[] {
    return this.attempts.filter((a) => a.port === port).map((a) => a.startMs);
  }

  #tell(line: string): void {
    this.told.push(line);
    this.whenTold(line);
  }

  #probe(spec: ProbeSpec): Probe {
    return {
      attempt: ({ endpoint, prelude }, signal) => {
        const port = endpoint.kind === 'ip' ? endpoint.port : 0;
        const startMs = this.time.nowMs();
        this.attempts.push({ port, startMs, probe: spec.kind, preludeBytes: prelude.length });
        const behaviour = this.#behaviours.has(port) ? (this.#behaviours.get(port) ?? null) : OK;
        if (behaviour !== null && 'breaks' in behaviour) {
          if (behaviour.breaks === 'at once') throw new Error('a defect');
          return Promise.reject(new Error('a defect'));
        }
        this.inFlight++;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        return this.#answer(behaviour, signal);
      },
    };
  }

  #answer(behaviour: ProbeResult | null, signal: CutOffSignal): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const end = (result: ProbeResult): void => {
        answer?.cancel();
        this.inFlight--;
        resolve(result);
      };
      const answer =
        behaviour === null ? null : this.time.after(this.latencyMs, () => end(behaviour));
      signal.addEventListener('abort', () => end(TIMED_OUT));
    });
  }
}

export const HEALTH: HealthSpec = {
  probe: { kind: 'tcp' },
  port: null,
  intervalMs: 2_000,
  fastIntervalMs: 500,
  downIntervalMs: 5_000,
  timeoutMs: 400,
  fall: 3,
  rise: 2,
  jitter: 0,
};

/** A target whose key is `b` and its port. */
export function target(port: number, health: Partial<HealthSpec> = {}): HealthTarget {
  return {
    key: `b${port}`,
    endpoint: { kind: 'ip', family: 4, host: '127.0.0.1', port },
    health: { ...HEALTH, ...health },
    prelude: new Uint8Array(0),
  };
}
