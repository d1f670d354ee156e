/** The processes that are compared, and those that compare them, each on its core. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Listening, message } from './messages.js';

export interface Relay {
  readonly name: string;
  readonly process: ChildProcess;
  readonly port: number;
  stop(): void;
}

export interface Load {
  readonly process: ChildProcess;
  readonly backendPort: number;
  stop(): void;
}

const PROXY_CORE = '0';
const LOAD_CORE = '1';

export async function startLoad(): Promise<Load> {
  const child = startProgram(LOAD_CORE, 'load.js', []);
  const { port } = await message<Listening>(child);
  return { process: child, backendPort: port, stop: () => child.kill() };
}

export function startBare(backendPort: number): Promise<Relay> {
  return startRelay('bare net', 'bare.js', backendPort);
}

export function startEngine(backendPort: number): Promise<Relay> {
  return startRelay('node engine', 'engine.js', backendPort);
}

/** The whole daemon: one worker on the node engine. */
export async function startDaemon(backendPort: number): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const file = join(folder, 'sluice.toml');
  const port = await freePort();
  writeFileSync(file, configuration(port, backendPort));
  const program = fileURLToPath(new URL('../../../bin/sluice', import.meta.url));
  const child = startPinned(PROXY_CORE, [program, 'run', '-c', file]);
  await accepts(port);
  const stop = (): void => {
    child.kill();
    rmSync(folder, { recursive: true });
  };
  return { name: 'sluice, node engine', process: child, port, stop };
}

/** User and system time of all threads, in microseconds: proc_pid_stat(5), fields 14 and 15. */
export function cpuMicros(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return ticks * MICROS_PER_TICK;
}

/** USER_HZ is 100 on every architecture that Node.js runs on. */
const MICROS_PER_TICK = 10_000;

function configuration(port: number, backendPort: number): string {
  return `[daemon]
engine = "node"
workers = 1
[admin]
http = ""
[listeners.bench]
bind = "127.0.0.1:${port}"
pool = "bench"
[pools.bench]
[pools.bench.health]
probe = "none"
[[pools.bench.backends]]
address = "127.0.0.1:${backendPort}"
`;
}

async function startRelay(name: string, program: string, backendPort: number): Promise<Relay> {
  const child = startProgram(PROXY_CORE, program, [String(backendPort)]);
  const { port } = await message<Listening>(child);
  return { name, process: child, port, stop: () => child.kill() };
}

function startProgram(core: string, program: string, words: readonly string[]): ChildProcess {
  return startPinned(core, [fileURLToPath(new URL(program, import.meta.url)), ...words]);
}

function startPinned(core: string, words: readonly string[]): ChildProcess {
  return spawn('taskset', ['-c', core, process.execPath, ...words], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when a server listens at `port`. */
async function accepts(port: number): Promise<void> {
  for (;;) {
    const outcome = await new Promise<'open' | 'closed'>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve('open'));
      socket.on('error', () => resolve('closed')).on('connect', () => socket.destroy());
    });
    if (outcome === 'open') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
