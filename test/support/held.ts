/** Holds the event loop open for a test that waits for something which does not. */
import { MessageChannel } from 'node:worker_threads';

/** Settles as `promise` does; until then the process does not end for want of work. */
export async function held<T>(promise: Promise<T>): Promise<T> {
  const { port1 } = new MessageChannel();
  port1.on('message', () => {});
  try {
    return await promise;
  } finally {
    port1.close();
  }
}
