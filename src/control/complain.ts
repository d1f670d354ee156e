/** What keeps the daemon from starting, or ends it, in words. */
import { LineQueue } from '../observe/line_queue.js';
import { FLUSH_LIMIT_MS } from '../observe/log.js';
import { openOutput } from '../system/output.js';
import { systemTimers } from '../system/timers.js';

const STANDARD_ERROR = 2;

/** To standard error, as far as it is read. */
export async function complain(text: string): Promise<void> {
  const queue = new LineQueue({
    write: openOutput(STANDARD_ERROR),
    timers: systemTimers,
    recovered: () => {},
  });
  queue.push(text);
  await queue.flush(FLUSH_LIMIT_MS);
}
