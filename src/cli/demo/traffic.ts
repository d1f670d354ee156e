/**
 * The world around the demo's balancer: three servers of different speed, clients that never stop
 * asking, and a server that dies and comes back.
 */
import { present } from '../../core/assert.js';
import type { Clock, Timers } from '../../core/clock.js';
import type { Random } from '../../core/random.js';
import { DemoBackend } from './backend.js';
import { askOneLine, type DemoTarget, type ExchangeEnd } from './exchange.js';
import type { DemoTally } from './tally.js';

/** The servers and their mean service times: a balancer that sees load gives the fast one more. */
const BACKENDS = [
  ['fast', 20],
  ['medium', 40],
  ['slow', 80],
] as const;
const MORTAL = 'medium';
export const DEMO_CLIENTS = 24;
/** Mean time between an answer and the client's next question: some 250 sessions per second. */
const THINK_MS = 60;
/** How long it lives before its first death, is dead, and lives between deaths. */
const FIRST_DEATH_MS = 3_000;
const DEAD_MS = 3_000;
const ALIVE_MS = 7_000;
const TRY_AGAIN_MS = 100;

export interface TrafficDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

export interface DemoAddress {
  readonly name: string;
  /** `host:port` */
  readonly address: string;
}

export class Traffic {
  readonly #deps: TrafficDeps;
  readonly #backends: readonly DemoBackend[];
  readonly #mortal: DemoBackend;
  readonly #counts = new Map<string, { answered: number; totalMs: number }>();
  /** Requests that were sent and have reached no server yet. */
  readonly #underWay = new Set<string>();
  readonly #exchanges = new Set<Promise<void>>();
  #phase: 'asking' | 'finishing' = 'asking';
  #life: 'alive' | 'dying' | 'dead' = 'alive';
  #requests = 0;
  #failed = 0;
  #lastFailure: string | null = null;
  #deaths = 0;

  constructor(deps: TrafficDeps) {
    this.#deps = deps;
    const reached = (request: string): void => {
      this.#underWay.delete(request);
      this.#dieIfQuiet();
    };
    this.#backends = BACKENDS.map(([name, ms]) => new DemoBackend(name, ms, { ...deps, reached }));
    const mortal = this.#backends.find(({ name }) => name === MORTAL);
    this.#mortal = present(mortal, 'one of the servers dies');
    for (const { name } of this.#backends) this.#counts.set(name, { answered: 0, totalMs: 0 });
  }

  /** Opens the servers. */
  async open(): Promise<readonly DemoAddress[]> {
    await Promise.all(this.#backends.map((backend) => backend.open()));
    return this.#backends.map(({ name, address }) => ({ name, address }));
  }

  /** Sends the clients to `target` and lets fate take its course. */
  begin(target: DemoTarget): void {
    for (let client = 0; client < DEMO_CLIENTS; client++) this.#later(target);
    this.#deps.timers.after(FIRST_DEATH_MS, () => this.#doom());
  }

  /** Asks nothing more; resolves when every client has had its answer. */
  async finish(): Promise<void> {
    this.#phase = 'finishing';
    await Promise.all(this.#exchanges);
    for (const backend of this.#backends) backend.shut();
  }

  tally(): DemoTally {
    return {
      backends: [...this.#counts].map(([name, counts]) => ({ name, ...counts })),
      failed: this.#failed,
      lastFailure: this.#lastFailure,
      deaths: this.#deaths,
    };
  }

  /** A client thinks, with exponential pauses, and asks. */
  #later(target: DemoTarget): void {
    const pauseMs = -THINK_MS * Math.log(1 - this.#deps.random.next());
    this.#deps.timers.after(pauseMs, () => {
      if (this.#phase === 'finishing') return;
      if (this.#life === 'dying') return this.#later(target);
      const asked = this.#ask(target).then(() => {
        this.#exchanges.delete(asked);
        this.#later(target);
      });
      this.#exchanges.add(asked);
    });
  }

  async #ask(target: DemoTarget): Promise<void> {
    const request = String(this.#requests++);
    this.#underWay.add(request);
    this.#count(await askOneLine(target, request, this.#deps));
    this.#underWay.delete(request);
    this.#dieIfQuiet();
  }

  #count(end: ExchangeEnd): void {
    const counts = end.kind === 'answered' ? this.#counts.get(end.backend) : undefined;
    if (end.kind === 'answered' && counts !== undefined) {
      counts.answered++;
      counts.totalMs += end.durationMs;
      return;
    }
    this.#failed++;
    this.#lastFailure = end.kind === 'failed' ? end.reason : `no server is called ${end.backend}`;
  }

  #doom(): void {
    this.#life = 'dying';
    this.#dieIfQuiet();
  }

  /**
   * A request that is inside a server when it dies dies with it, whatever the balancer. The demo
   * shows what a balancer can do about a death, so the server dies between two requests.
   */
  #dieIfQuiet(): void {
    if (this.#life !== 'dying' || this.#underWay.size > 0) return;
    this.#life = 'dead';
    this.#deaths++;
    this.#mortal.shut();
    this.#deps.timers.after(DEAD_MS, () => void this.#rise());
  }

  /** While it was dead, any program may have been given its port. */
  async #rise(): Promise<void> {
    if (this.#phase === 'finishing') return;
    try {
      await this.#mortal.open();
    } catch {
      this.#deps.timers.after(TRY_AGAIN_MS, () => void this.#rise());
      return;
    }
    this.#life = 'alive';
    this.#deps.timers.after(ALIVE_MS, () => this.#doom());
  }
}
