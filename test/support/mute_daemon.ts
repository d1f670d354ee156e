/**
 * The real daemon behind a shell, for tests of what surrounds it: outputs that are not read,
 * limits, another view of the file system. It is ready when its admin page says so, as its log may
 * be lost.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { BINARY, ENGINE } from './daemon.js';
import { eventually } from './deadline.js';
import { httpGet } from './http_get.js';
import { freePort, tempFolder } from './places.js';
import { type Child, startChild } from './process.js';

export interface MuteSetup {
  /**
   * The shell's commands; `"$@"` is the daemon's command line, to be run by `exec` so that signals
   * reach it. `$FOLDER` is a new folder.
   */
  readonly shell: string;
  readonly toml: string;
  readonly shutdownTimeout?: string;
  readonly engine?: string;
  readonly workers?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeFlags?: readonly string[];
}

export interface MuteDaemon {
  readonly child: Child;
  readonly folder: string;
  /** Of the admin page. */
  readonly admin: string;
  get(path: string): Promise<string>;
  /** Resolves when every listener is open. */
  serving(): Promise<void>;
}

export async function startMute(t: Test, setup: MuteSetup): Promise<MuteDaemon> {
  const folder = tempFolder(t);
  const file = join(folder, 'sluice.toml');
  const port = await freePort();
  writeFileSync(
    file,
    `[daemon]
engine = "${setup.engine ?? ENGINE}"
workers = ${setup.workers ?? 1}
shutdown_timeout = "${setup.shutdownTimeout ?? '1s'}"
[log]
access = "all"
[admin]
http = "127.0.0.1:${port}"
socket = ""
${setup.toml}`,
  );
  const command = [process.execPath, ...(setup.nodeFlags ?? []), BINARY, 'run', '-c', file];
  const child = startChild(t, 'sh', ['-c', setup.shell, 'sh', ...command], {
    env: { FOLDER: folder, ...setup.env },
  });
  const admin = `127.0.0.1:${port}`;
  const get = async (path: string): Promise<string> =>
    (await httpGet(`http://${admin}${path}`)).body;
  const serving = (): Promise<void> =>
    eventually('the admin page', async () => {
      if (!child.running) throw new Error(`it ended: ${child.stderr.past.join(' | ')}`);
      await get('/healthz');
      return true;
    }).then(() => undefined);
  return { child, folder, admin, get, serving };
}
