/** Where a daemon keeps what shall outlive it: as the file or the service manager has it. */
import { accessSync, constants, mkdirSync } from 'node:fs';

const USUAL_FOLDER = '/var/lib/sluice';

export type StatePlace =
  | { readonly kind: 'at'; readonly folder: string }
  | { readonly kind: 'off' }
  /** It was not turned off, so it is worth a line. */
  | { readonly kind: 'nowhere'; readonly why: string };

/** A folder that the file names is made where its parent is there. */
export function statePlace(wanted: string | null, environment: NodeJS.ProcessEnv): StatePlace {
  if (wanted === null) return { kind: 'off' };
  if (wanted !== 'auto') return madePlace(wanted);
  // systemd.exec(5): several are joined by colons.
  const [first = ''] = (environment['STATE_DIRECTORY'] ?? '').split(':');
  if (first.startsWith('/')) return { kind: 'at', folder: first };
  if (isWritable(USUAL_FOLDER)) return { kind: 'at', folder: USUAL_FOLDER };
  const why = `STATE_DIRECTORY is not set, and there is no folder ${USUAL_FOLDER} to write to`;
  return { kind: 'nowhere', why };
}

function madePlace(folder: string): StatePlace {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return { kind: 'at', folder };
  } catch (error) {
    return { kind: 'nowhere', why: error instanceof Error ? error.message : String(error) };
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
