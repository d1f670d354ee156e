/** What adapters need of a balancer: sockets to backends. */
import type { Socket } from 'node:net';
import type { ConnectOptions } from './execute_options.js';

export interface Connects {
  connect(options?: ConnectOptions): Promise<Socket>;
}
