/**
 * Reads the configuration file of a daemon that serves. A large one takes a second of work, in
 * which the main thread would neither probe nor answer, so a thread of its own reads it.
 */
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { Issue } from '../config/issue.js';
import { type ReadConfig, readConfig } from '../config/read_config.js';
import type { Result } from '../core/result.js';
import { systemTimers } from '../system/timers.js';

type Reading = Result<ReadConfig, readonly Issue[]>;

/** About 20 ms of work; below it a thread costs more than it saves. */
const READ_ASIDE_BYTES = 32 * 1024;

/**
 * A file of ten thousand backends makes some 50 MB of objects, most of them for the Spec: with room
 * for them its collector has nothing to copy. The memory is given back when the thread ends.
 */
const YOUNG_OBJECTS_MB = 64;

/** As `readConfig`. */
export async function readConfigAside(path: string): Promise<Reading> {
  const isLarge = await stat(path).then(
    ({ size }) => size >= READ_ASIDE_BYTES,
    () => false,
  );
  const aside = isLarge ? await readInThread(path) : null;
  return aside ?? readConfig(path, systemTimers);
}

/** null: this machine has no thread to spare just now. */
function readInThread(path: string): Promise<Reading | null> {
  return new Promise((resolve) => {
    const thread = new Worker(new URL('./config_thread.js', import.meta.url), {
      name: 'sluice-config',
      workerData: path,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_OBJECTS_MB },
    });
    thread.once('message', (reading: Reading) => resolve(reading));
    thread.once('error', () => resolve(null));
    thread.once('exit', () => resolve(null));
  });
}
