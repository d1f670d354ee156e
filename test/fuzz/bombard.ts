/**
 * Sends fuzzed first messages to a real daemon, many at a time, beside a client whose session goes
 * on. What must be true whatever comes: each connection ends, no client gets what was not sent to
 * it, no thread fails, and at the end nothing is left.
 */
import { clientHello } from '../support/client_hello.js';
import type { Daemon } from '../support/daemon.js';
import { eventually, nowMs } from '../support/deadline.js';
import type { Scope } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { tryDial, type Wire } from '../support/wire.js';
import { FuzzBackend } from './backend.js';
import { play } from './client.js';
import { firstMessage, LISTENERS, type ListenerName, NAMES } from './first_messages.js';

/** A worker of the uring engine keeps this many descriptors of pipes. */
const KEPT_DESCRIPTORS = 64;
const MOST_FINDINGS = 20;
const GAUGES = ['sluice_sessions_active', 'sluice_backend_active', 'sluice_queue_length'];
const DEFECTS = ['internal-error', 'worker-lost', 'worker-start-failed'];

export interface Plan {
  readonly messages: number;
  /** Of the first one; the next ones follow. */
  readonly seed: number;
  readonly atOnce: number;
}

export interface Tally {
  readonly findings: readonly string[];
  /** How many of them ended as what, by the daemon's own counts. */
  readonly ends: ReadonlyMap<string, number>;
  readonly slowestMs: number;
  readonly bystander: { readonly turns: number; readonly slowestMs: number };
  readonly perSecond: number;
}

const NAME_ROUTES = `{ server_name = ["one.example", "*.two.example"], pool = "named" },
  { server_name = "closed.example", pool = "" }, { alpn = "postgresql", pool = "named" }`;
const START_ROUTES = `{ database = "orders*", pool = "named" },
  { user = "bob", application = "p?ql", pool = "" }`;

const LINES: Readonly<Record<ListenerName, string>> = {
  hello: `routes = [${NAME_ROUTES}]`,
  start: `postgres.strict = true\nroutes = [${START_ROUTES}]`,
  both: `postgres.strict = true\nroutes = [${NAME_ROUTES}, ${START_ROUTES}]`,
  lax: 'postgres.strict = false',
  behind: `accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]
postgres.strict = false\nroutes = [${NAME_ROUTES}, ${START_ROUTES}]`,
};

/** The daemon's file: each reader of first bytes has a listener, and all have one backend. */
export async function fuzzBed(scope: Scope): Promise<string> {
  const backends = [{ address: (await FuzzBackend.start(scope)).address }];
  const listeners = LISTENERS.map((name) =>
    listenerText({ name, pool: 'echo', lines: `hello_timeout = "1s"\n${LINES[name]}` }),
  );
  const pools = ['echo', 'named'].map((name) =>
    poolText({ name, backends, health: 'probe = "none"' }),
  );
  return [...listeners, ...pools].join('');
}

export async function bombard(daemon: Daemon, plan: Plan): Promise<Tally> {
  const ports = new Map<ListenerName, number>();
  for (const name of LISTENERS) ports.set(name, await daemon.port(name));
  const bystander = await Bystander.start(ports.get('hello') ?? 0);
  const descriptors = await daemon.descriptors();
  const findings: string[] = [];
  const beganMs = nowMs();
  let next = 0;
  let slowestMs = 0;
  const work = async (): Promise<void> => {
    while (next < plan.messages && findings.length < MOST_FINDINGS) {
      const message = firstMessage(plan.seed + next++);
      const { ms, wrong } = await play(message, ports.get(message.listener) ?? 0);
      slowestMs = Math.max(slowestMs, ms);
      if (wrong !== null) findings.push(`seed ${message.seed}, ${message.listener}: ${wrong}`);
    }
  };
  await Promise.all(Array.from({ length: plan.atOnce }, work));
  const perSecond = (next * 1000) / (nowMs() - beganMs);
  findings.push(...(await bystander.end()), ...(await atRest(daemon, descriptors)));
  const { turns, slowestMs: slowestTurnMs } = bystander;
  return {
    findings,
    ends: await endsOf(daemon),
    slowestMs,
    bystander: { turns, slowestMs: slowestTurnMs },
    perSecond,
  };
}

/** What is left of the sessions, and what the daemon complains of. */
async function atRest(daemon: Daemon, descriptors: number): Promise<readonly string[]> {
  const findings: string[] = [];
  const must = async (what: string, settles: Promise<unknown>): Promise<void> => {
    await settles.catch((error) => findings.push(`${what}: ${String(error)}`));
  };
  for (const gauge of GAUGES) {
    await must(
      gauge,
      daemon.metricSettles(gauge, {}, (sum) => sum === 0),
    );
  }
  const areBack = async (): Promise<true | undefined> =>
    (await daemon.descriptors()) <= descriptors + KEPT_DESCRIPTORS ? true : undefined;
  await must('descriptors', eventually('they are back', areBack));
  const defects = DEFECTS.flatMap((event) => daemon.eventsNamed(event));
  return [...findings, ...defects.map((record) => JSON.stringify(record))];
}

async function endsOf(daemon: Daemon): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>();
  for (const { labels, value } of (await daemon.metrics()).select('sluice_sessions_total')) {
    const { outcome = '' } = labels;
    if (value > 0) ends.set(outcome, (ends.get(outcome) ?? 0) + value);
  }
  return ends;
}

/** A client whose session began before all others, and which is answered all the time. */
class Bystander {
  turns = 0;
  slowestMs = 0;
  readonly #wire: Wire;
  readonly #over: Promise<readonly string[]>;
  #goesOn = true;

  private constructor(wire: Wire) {
    this.#wire = wire;
    this.#over = this.#ask().catch((error) => [`the bystander: ${String(error)}`]);
  }

  static async start(port: number): Promise<Bystander> {
    const wire = await tryDial({ port });
    if (typeof wire === 'string') throw new Error(`the bystander has no connection: ${wire}`);
    const hello = clientHello({ names: [Buffer.from(NAMES[0])] });
    await wire.send(hello);
    await wire.read(hello.length);
    return new Bystander(wire);
  }

  async end(): Promise<readonly string[]> {
    this.#goesOn = false;
    const wrong = await this.#over;
    this.#wire.socket.destroy();
    return wrong;
  }

  async #ask(): Promise<readonly string[]> {
    for (; this.#goesOn; this.turns++) {
      const beganMs = nowMs();
      const text = `turn ${this.turns} of a session that goes on`;
      await this.#wire.send(text);
      const answer = await this.#wire.readText(text.length);
      if (answer !== text) return [`the bystander got ${answer} for ${text}`];
      this.slowestMs = Math.max(this.slowestMs, nowMs() - beganMs);
    }
    return [];
  }
}
