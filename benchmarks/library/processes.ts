/** The processes of the benchmark, each on its core: applications and daemon, backends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, tempFolder } from '../../test/support/places.js';
import { repositoryRoot } from '../../test/support/repository.js';
import { LOAD_CORE, PROXY_CORE } from '../macro/cores.js';
import { type Serving, startServing } from '../macro/peers.js';
import type { Endings } from '../support/endings.js';
import { message } from './messages.js';

const CORES = { backends: LOAD_CORE, client: PROXY_CORE } as const;

/** Starts a program of this folder, and resolves with what it says first. */
export async function startProgram<T>(
  name: keyof typeof CORES,
  words: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly told: T }> {
  const program = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const self = [process.execPath, program, ...words];
  const child = spawn('taskset', ['-c', String(CORES[name]), ...self], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return { child, told: await message<T>(child) };
}

export async function stopProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** The daemon with the library's settings, on the core of the applications: a sidecar. */
export async function startDaemon(scope: Endings, ports: readonly number[]): Promise<Serving> {
  const port = await freePort();
  const file = join(tempFolder(scope), 'sluice.toml');
  const backends = ports.map((one) => `[[pools.users.backends]]\naddress = "127.0.0.1:${one}"\n`);
  writeFileSync(
    file,
    `[daemon]
workers = 1
[log]
level = "warn"
access = "off"
[admin]
http = ""
socket = ""
[listeners.users]
bind = "127.0.0.1:${port}"
pool = "users"
[pools.users]
${backends.join('')}`,
  );
  const program = join(repositoryRoot, 'bin/sluice');
  return startServing(scope, process.execPath, [program, 'run', '-c', file], port);
}
