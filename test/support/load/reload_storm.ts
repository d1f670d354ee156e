/** Many reloads at an even pace. */
import type { Daemon } from '../daemon.js';
import { nowMs, pass } from '../deadline.js';

/**
 * Reloads `count` times within `durationMs`, taking `files` in turn, each after the last one's
 * outcome; gives the events' names.
 */
export async function reloadStorm(
  daemon: Daemon,
  files: readonly string[],
  count: number,
  durationMs: number,
): Promise<readonly string[]> {
  const startMs = nowMs();
  const outcomes: string[] = [];
  for (let i = 0; i < count; i++) {
    const earlyMs = startMs + (i * durationMs) / count - nowMs();
    if (earlyMs > 0) await pass(earlyMs);
    outcomes.push((await daemon.reload(files[i % files.length] ?? '')).event);
  }
  return outcomes;
}
