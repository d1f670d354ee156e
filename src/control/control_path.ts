/** Where the control socket is, by the file and by what the service manager has prepared. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { AdminSpec } from '../core/spec.js';

/** The folder that systemd makes for the unit, and that any administrator may make. */
const USUAL_FOLDER = '/run/sluice';
const SOCKET_NAME = 'admin.sock';

export type SocketPlace =
  | { readonly kind: 'at'; readonly path: string }
  | { readonly kind: 'off' }
  /** It was not turned off, so it is worth a line. */
  | { readonly kind: 'nowhere'; readonly why: string };

/** Where a daemon opens it. */
export function socketPlace({ socket }: AdminSpec, environment: NodeJS.ProcessEnv): SocketPlace {
  if (socket === null) return { kind: 'off' };
  if (socket !== 'auto') return { kind: 'at', path: socket };
  const folder = runtimeFolder(environment);
  if (folder !== null) return { kind: 'at', path: join(folder, SOCKET_NAME) };
  if (isFolder(USUAL_FOLDER)) return { kind: 'at', path: join(USUAL_FOLDER, SOCKET_NAME) };
  const why = `RUNTIME_DIRECTORY is not set, and there is no folder ${USUAL_FOLDER}`;
  return { kind: 'nowhere', why };
}

/** Where a command looks for it unless it is given one. */
export function usualSocketPath(environment: NodeJS.ProcessEnv): string {
  return join(runtimeFolder(environment) ?? USUAL_FOLDER, SOCKET_NAME);
}

/** systemd.exec(5): several are joined by colons. */
function runtimeFolder({ RUNTIME_DIRECTORY }: NodeJS.ProcessEnv): string | null {
  const [first = ''] = (RUNTIME_DIRECTORY ?? '').split(':');
  return first.startsWith('/') ? first : null;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
