/** Runs a program on the real daemon and gives all that was wrong with what came of it. */
import { join } from 'node:path';
import { Daemon } from '../support/daemon.js';
import { nowMs, pass, within } from '../support/deadline.js';
import { UdpEcho } from '../support/load/datagrams.js';
import { freePort, type Scope, tempFolder } from '../support/places.js';
import type { Target } from '../support/wire.js';
import { Backend } from './backend.js';
import { Client } from './client.js';
import { LOSE_WORKER, SIZES_VARIABLE } from './every_thread.js';
import { Flow } from './flow.js';
import { judgeDaemon, judgeSessions } from './judge.js';
import type { Act, Program } from './program.js';
import { edited, type Settings, tomlOf } from './settings.js';

export interface Finding {
  /** Of which kind it is: what a reduced program must show too. */
  readonly kind: string;
  readonly detail: string;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly sessions: number;
}

/** What is known about a program after it ran. */
export interface Story {
  readonly program: Program;
  readonly daemon: Daemon;
  readonly clients: readonly Client[];
  readonly backends: readonly Backend[];
  readonly flows: readonly Flow[];
  /** Each version of the file that came into use. */
  readonly settings: readonly Settings[];
  /** Descriptors of the daemon before the first client. */
  readonly descriptors: number;
  /** Those whose sessions had not ended when all had been released and none ended for END_MS. */
  readonly stuck: readonly Client[];
}

/** After all were released, the last session has ended within this. */
const END_MS = 9_000;
/** How long the last ones to begin are left alone before all are released. */
const GRACE_MS = 150;
const START_MS = 15_000;
const SHUTDOWN_TIMEOUT = '1s';

export async function runProgram(program: Program): Promise<Outcome> {
  const scope = new Ends();
  try {
    return await new Performance(program, scope).run();
  } catch (error) {
    return { findings: [{ kind: 'harness', detail: String(error) }], sessions: 0 };
  } finally {
    await scope.end();
  }
}

/** Ends what was started, last things first. */
class Ends implements Scope {
  readonly #steps: (() => unknown)[] = [];

  teardown(end: () => unknown): void {
    this.#steps.push(end);
  }

  async end(): Promise<void> {
    for (const step of this.#steps.reverse()) await step();
  }
}

class Performance {
  readonly #program: Program;
  readonly #scope: Ends;
  readonly #clients: readonly Client[];
  readonly #backends = new Map<string, Backend>();
  readonly #echoes = new Map<string, UdpEcho>();
  readonly #settings: Settings[];
  readonly #folder: string;
  readonly #targets = new Map<string, Target>();
  #connections = 0;

  constructor(program: Program, scope: Ends) {
    this.#program = program;
    this.#scope = scope;
    this.#folder = tempFolder(scope);
    this.#clients = program.clients.map((plan) => new Client(plan));
    this.#settings = [{ listeners: program.listeners, pools: program.pools }];
  }

  async run(): Promise<Outcome> {
    const program = this.#program;
    await this.#startBackends();
    const daemon = await this.#startDaemon();
    for (const listener of program.listeners) await this.#locate(daemon, listener.name);
    const descriptors = await daemon.descriptors();
    const flows = program.flows.map(
      (plan) => new Flow(plan, this.#targets.get(plan.listener)?.host === '::1' ? 6 : 4),
    );
    this.#scope.teardown(() => {
      for (const one of [...flows, ...this.#clients]) one.dispose();
    });
    const began = nowMs();
    const at = (ms: number): Promise<void> => pass(Math.max(0, began + ms - nowMs()));
    await Promise.all([
      ...this.#clients.map(async (client) => {
        await at(client.plan.atMs);
        await client.run(this.#targets.get(client.plan.listener) ?? { port: 1 });
      }),
      ...flows.map(async (flow) => {
        await at(flow.plan.atMs);
        await flow.run(this.#targets.get(flow.plan.listener) as { port: number });
      }),
      this.#act(daemon, at),
    ]);
    await pass(GRACE_MS);
    const stuck = await this.#release();
    const story: Story = {
      program,
      daemon,
      clients: this.#clients,
      backends: [...this.#backends.values()],
      flows,
      settings: this.#settings,
      descriptors,
      stuck,
    };
    const atRest = await judgeDaemon(story);
    const findings = [...judgeSessions(story), ...atRest];
    return { findings, sessions: this.#clients.length + flows.length };
  }

  async #startBackends(): Promise<void> {
    for (const pool of this.#program.pools) {
      for (const plan of pool.backends) {
        const port = await freePort();
        if (pool.protocol === 'udp') {
          const echo = new UdpEcho(port, '');
          this.#scope.teardown(() => echo.kill());
          this.#echoes.set(plan.name, echo);
          if (plan.first === 'up') await echo.start();
          continue;
        }
        const backend = new Backend(plan, port, () => this.#connections++);
        this.#scope.teardown(() => backend.dispose());
        this.#backends.set(plan.name, backend);
        await backend.turn(plan.first);
      }
    }
  }

  async #startDaemon(): Promise<Daemon> {
    const { engine, workers, access, sizes, openFiles } = this.#program;
    const daemon = new Daemon(join(this.#folder, 'sluice.toml'), {
      toml: this.#toml(),
      engine,
      workers,
      access,
      shutdownTimeout: SHUTDOWN_TIMEOUT,
      everyThread: new URL('./every_thread.js', import.meta.url),
      env: { [SIZES_VARIABLE]: JSON.stringify(sizes ?? {}) },
      ...(openFiles === null ? {} : { openFiles }),
    });
    this.#scope.teardown(() => daemon.end());
    await daemon.event('ready', () => true, START_MS);
    return daemon;
  }

  async #locate(daemon: Daemon, name: string): Promise<void> {
    const plan = this.#program.listeners.find((listener) => listener.name === name);
    if (plan?.bind === 'unix') {
      this.#targets.set(name, { port: 0, path: `${this.#folder}/${name}.sock` });
      return;
    }
    const host = plan?.bind === '[::]' || plan?.bind === '[::1]' ? '::1' : '127.0.0.1';
    this.#targets.set(name, { port: await daemon.port(name), host });
  }

  async #act(daemon: Daemon, at: (ms: number) => Promise<void>): Promise<void> {
    for (const act of this.#program.acts) {
      await at(act.atMs);
      if (!daemon.running) return;
      await this.#actOnce(daemon, act);
    }
  }

  async #actOnce(daemon: Daemon, act: Act): Promise<void> {
    switch (act.do) {
      case 'turn': {
        const echo = this.#echoes.get(act.backend);
        await echo?.kill();
        if (act.to === 'up') await echo?.start();
        return this.#backends.get(act.backend)?.turn(act.to);
      }
      case 'reload': {
        const before = this.#settings.at(-1) ?? { listeners: [], pools: [] };
        const after = act.edits.reduce(
          (settings, edit) => edited(settings, edit, this.#program),
          before,
        );
        this.#settings.push(after);
        if (this.#program.acts.some((other) => other.do === 'stop')) {
          void daemon.reload(this.#toml()).catch(() => {});
        } else await daemon.reload(this.#toml());
        return;
      }
      case 'lose-worker':
        return daemon.signal(LOSE_WORKER);
      case 'stop':
        return daemon.signal('SIGTERM');
    }
  }

  #toml(): string {
    const ports = [...this.#backends, ...this.#echoes].map(
      ([name, { port }]) => [name, `127.0.0.1:${port}`] as const,
    );
    const settings = this.#settings.at(-1) ?? { listeners: [], pools: [] };
    return tomlOf(settings, { backends: new Map(ports), folder: this.#folder });
  }

  /** Nothing is held back any more: every session ends. Gives those that did not. */
  async #release(): Promise<readonly Client[]> {
    for (const client of this.#clients) client.release();
    for (const backend of this.#backends.values()) {
      if (backend.standing === 'silent') await backend.turn('dead');
      backend.release();
    }
    const open = new Set(this.#clients);
    for (const client of this.#clients) void client.over.then(() => open.delete(client));
    // One after the other where `max_sessions` is 1: each end gives the rest their time anew.
    for (let before = open.size + 1; open.size > 0 && open.size < before; ) {
      before = open.size;
      const one = Promise.race([...open].map((client) => client.over));
      await within('the end of a session', one, END_MS).catch(() => {});
    }
    return [...open];
  }
}
