/** The real daemon under test: started from a TOML text, watched through its own log. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually, PATIENCE_MS } from './deadline.js';
import { Exposition, type Labels } from './exposition.js';
import { Feed } from './feed.js';
import { httpGet, type Page } from './http_get.js';
import { tempFolder } from './places.js';
import { Child, type Exit, type Passed } from './process.js';
import { endThoseThatTookOver } from './took_over.js';

/** One line of the daemon's log. */
export interface LogRecord {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface DaemonSetup {
  /** Listeners and pools; the sections daemon, log and admin are put in front of it. */
  readonly toml: string;
  /** The engine under test by default. */
  readonly engine?: EngineUnderTest;
  /** As the daemon decides by default, like everything below: tests run what users run. */
  readonly workers?: number;
  /** Tests that read access lines ask for `all`. */
  readonly access?: 'off' | 'errors' | 'sampled' | 'all';
  /** Further lines of [log]. */
  readonly logLines?: string;
  readonly shutdownTimeout?: string;
  /** The folder where it keeps overrides; none by default. */
  readonly state?: string;
  /** Further lines of [daemon]. */
  readonly daemonLines?: string;
  /** Where the admin page is; a free port by default. */
  readonly admin?: string;
  /** The path of its control socket; off by default. */
  readonly socket?: string;
  /** Further lines of [admin]. */
  readonly adminLines?: string;
  /** `ulimit -n`, soft and hard. */
  readonly openFiles?: number;
  /** Of the daemon's process, such as `--max-semi-space-size=1`. */
  readonly nodeFlags?: readonly string[];
  /** The program; the one of this repository by default. */
  readonly binary?: string;
  /** JavaScript that runs in the daemon's process before it, on its main thread. */
  readonly preload?: string;
  /** A module that every thread of the daemon loads first. */
  readonly everyThread?: URL;
  /** Listening sockets, as systemd passes them. */
  readonly passed?: Passed;
  /** A command that runs it where it shall be, such as `ip netns exec x`. */
  readonly within?: readonly string[];
  /** Further variables of its environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Defects that the test provokes; any other one fails it. */
  readonly expects?: readonly (typeof DEFECTS)[number][];
}

/** Events that no correct daemon logs, whatever its clients, backends and operators do. */
const DEFECTS = ['internal-error', 'worker-lost', 'worker-start-failed'] as const;

export type EngineUnderTest = 'node' | 'uring';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The engine under test: the whole suite runs on each. */
export const ENGINE: EngineUnderTest =
  process.env['SLUICE_TEST_ENGINE'] === 'uring' ? 'uring' : 'node';

export const BINARY = join(import.meta.dirname, '../../../bin/sluice');

/** Starts the daemon and resolves when it says that it is ready; it ends with the test. */
export async function startDaemon(t: Test, setup: DaemonSetup): Promise<Daemon> {
  const daemon = new Daemon(join(tempFolder(t), 'sluice.toml'), setup);
  t.teardown(async () => {
    await daemon.end();
    const expected: readonly string[] = setup.expects ?? [];
    const defects = DEFECTS.filter((event) => !expected.includes(event));
    const found = defects.flatMap((event) => daemon.eventsNamed(event));
    if (found.length > 0) throw new Error(`the daemon has a defect: ${JSON.stringify(found[0])}`);
  });
  await daemon.event('ready');
  return daemon;
}

export class Daemon {
  /** Every line of the log that is JSON and has an event. */
  readonly events = new Feed<LogRecord>();
  readonly file: string;
  readonly #child: Child;
  readonly #setup: DaemonSetup;

  constructor(file: string, setup: DaemonSetup) {
    this.file = file;
    this.#setup = setup;
    this.write(setup.toml);
    const preload = setup.preload === undefined ? [] : ['--import', preloadUrl(setup.preload)];
    const shared = setup.everyThread === undefined ? [] : ['--import', setup.everyThread.href];
    const flags = [...(setup.nodeFlags ?? []), ...shared, ...preload];
    const [program = process.execPath, ...before] = [...(setup.within ?? []), process.execPath];
    this.#child = new Child(
      program,
      [...before, ...flags, setup.binary ?? BINARY, 'run', '-c', file],
      {
        env: setup.env ?? {},
        ...(setup.passed === undefined ? {} : { passed: setup.passed }),
        ...(setup.openFiles === undefined ? {} : { openFiles: setup.openFiles }),
      },
    );
    this.#child.stdout.each((line) => {
      const record = parseRecord(line);
      if (record !== null) this.events.push(record);
    });
    void this.#child.exited.then((exit) => {
      const { past } = this.#child.stderr;
      const told = [...past.slice(0, 4), ...past.slice(4).slice(-8)].join(' | ');
      this.events.end(`the daemon ended (code ${exit.code}, signal ${exit.signal}): ${told}`);
    });
  }

  /** Changes the file, in one step: the daemon may be reading it for the reload before. */
  write(toml: string): void {
    writeFileSync(`${this.file}.new`, `${preamble(this.#setup)}\n${toml}`);
    renameSync(`${this.file}.new`, this.file);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.running;
  }

  get exited(): Promise<Exit> {
    return this.#child.exited;
  }

  /** What the daemon wrote to its standard error output so far. */
  get complaints(): string {
    return this.#child.stderr.past.join('\n');
  }

  /** The first record named `name`, past or future, for which `where` holds. */
  event(name: string, where: Where = always, limitMs = PATIENCE_MS): Promise<LogRecord> {
    return this.events.first(`event ${name}`, (r) => r.event === name && where(r), limitMs);
  }

  /** The first such record after this call. */
  nextEvent(name: string, where: Where = always, limitMs = PATIENCE_MS): Promise<LogRecord> {
    return this.events.next(`event ${name}`, (r) => r.event === name && where(r), limitMs);
  }

  /** All records named `name` so far. */
  eventsNamed(name: string, where: Where = always): readonly LogRecord[] {
    return this.events.past.filter((record) => record.event === name && where(record));
  }

  /** Where `listener` really listens (its first address unless `index` says otherwise). */
  async address(listener: string, index = 0): Promise<HostPort> {
    await this.event('listening', (record) => record['listener'] === listener);
    const all = this.eventsNamed('listening', (record) => record['listener'] === listener);
    return parseAddress(String(all[index]?.['address']));
  }

  async port(listener: string): Promise<number> {
    return (await this.address(listener)).port;
  }

  /** Changes the file and sends SIGHUP; resolves with the record of the outcome. */
  reload(toml: string): Promise<LogRecord> {
    this.write(toml);
    const outcome = this.events.next('the outcome of a reload', (record) =>
      ['reloaded', 'reload-failed'].includes(record.event),
    );
    this.signal('SIGHUP');
    return outcome;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.signal(signal);
  }

  /** SIGKILL; resolves when the daemon has ended. */
  kill(): Promise<Exit> {
    return this.#child.kill();
  }

  /** SIGTERM; resolves when the daemon has ended. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.exited;
  }

  /**
   * The test is over: two signals, of which the second ends it at once, then SIGKILL. They differ,
   * as the kernel makes one of two that are the same while the first is pending (signal(7)).
   */
  async end(): Promise<void> {
    if (!this.running) return;
    endThoseThatTookOver(this.file, this.pid);
    this.signal('SIGTERM');
    await this.#child.stop('SIGINT');
  }

  /** An answer of the admin endpoint. */
  async get(path: string): Promise<Page> {
    const { address } = await this.event('admin-listening');
    return httpGet(`http://${String(address)}${path}`);
  }

  async metrics(): Promise<Exposition> {
    return new Exposition((await this.get('/metrics')).body);
  }

  /** Waits until the sum of the metric fulfils `holds`; gives the sum. */
  metricSettles(
    name: string,
    labels: Labels,
    holds: (sum: number) => boolean,
    limitMs = PATIENCE_MS,
  ): Promise<number> {
    let last = Number.NaN;
    return eventually(
      `${name}${JSON.stringify(labels)}`,
      async () => {
        last = (await this.metrics()).sum(name, labels);
        if (holds(last)) return last;
        throw new Error(`it is ${last}`);
      },
      limitMs,
    );
  }

  /** Waits until health has said that exactly `count` of the pool's backends are up. */
  async backendsUp(pool: string, count: number, limitMs = PATIENCE_MS): Promise<void> {
    const holds = (): boolean => this.#upIn(pool).size === count;
    if (holds()) return;
    const isVerdict = (record: LogRecord): boolean => record.event.startsWith('backend-');
    const what = `${count} backends of ${pool} up`;
    await this.events.next(what, (record) => isVerdict(record) && holds(), limitMs);
  }

  #upIn(pool: string): ReadonlySet<unknown> {
    const up = new Set<unknown>();
    for (const { event, pool: itsPool, backend } of this.events.past) {
      if (itsPool !== pool) continue;
      if (event === 'backend-up') up.add(backend);
      const isGone = event === 'backend-down' || event === 'backend-removed';
      if (isGone || event === 'backend-standby') up.delete(backend);
    }
    return up;
  }

  /** Resident memory of the process in bytes. */
  rssBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
  }

  /** User plus system time of the process in clock ticks (1/100 s). */
  async cpuTicks(): Promise<number> {
    const stat = await readFile(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  /** How many descriptors the process has open. */
  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.pid}/fd`)).length;
  }

  /** How many of them are UDP sockets that are bound to `port`. */
  async udpDescriptors(port: number): Promise<number> {
    const folder = `/proc/${this.pid}`;
    const tables = ['udp', 'udp6'].map((name) => readFileSync(`${folder}/net/${name}`, 'utf8'));
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const rows = tables.flatMap((table) => table.split('\n').map((row) => row.trim().split(/\s+/)));
    const there = new Set(
      rows.filter((row) => row[1]?.endsWith(`:${hex}`)).map((row) => `socket:[${row[9]}]`),
    );
    const names = await readdir(`${folder}/fd`);
    const targets = names.map((name) => readlink(`${folder}/fd/${name}`).catch(() => ''));
    return (await Promise.all(targets)).filter((target) => there.has(target)).length;
  }
}

type Where = (record: LogRecord) => boolean;
const always: Where = () => true;

function preloadUrl(code: string): string {
  const guarded = `import { isMainThread } from 'node:worker_threads';\nif (isMainThread) {${code}}`;
  return `data:text/javascript,${encodeURIComponent(guarded)}`;
}

function preamble(setup: DaemonSetup): string {
  const { engine = ENGINE, workers, shutdownTimeout, access, admin = '127.0.0.1:0' } = setup;
  return [
    '[daemon]',
    `engine = "${engine}"`,
    ...(workers === undefined ? [] : [`workers = ${workers}`]),
    ...(shutdownTimeout === undefined ? [] : [`shutdown_timeout = "${shutdownTimeout}"`]),
    `state_directory = "${setup.state ?? ''}"`,
    setup.daemonLines ?? '',
    '[log]',
    ...(access === undefined ? [] : [`access = "${access}"`]),
    setup.logLines ?? '',
    '[admin]',
    `http = "${admin}"`,
    `socket = "${setup.socket ?? ''}"`,
    setup.adminLines ?? '',
    '',
  ].join('\n');
}

function parseRecord(line: string): LogRecord | null {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== 'object' || record === null) return null;
    return 'event' in record && typeof record.event === 'string' ? (record as LogRecord) : null;
  } catch {
    return null;
  }
}

/** `127.0.0.1:80` or `[::1]:80`. */
export function parseAddress(text: string): HostPort {
  const colon = text.lastIndexOf(':');
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(text.slice(colon + 1)),
  };
}
