/** What a worker thread said before it ended may still be under way when its end is known. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { FromWorker } from './worker_protocol.js';

/** Reads all of it, and closes the port. */
export function hearLastWords(port: MessagePort, hear: (message: FromWorker) => void): void {
  for (let last = receiveMessageOnPort(port); last; last = receiveMessageOnPort(port)) {
    hear(last.message as FromWorker);
  }
  port.close();
}
