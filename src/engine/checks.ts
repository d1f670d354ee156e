/** Looks at this machine once: which engines it allows, best first. */
import { loadKernel } from '../kernel/foreign.js';
import type { EngineCheck } from './select.js';

export function checkEngines(): readonly EngineCheck[] {
  const kernel = loadKernel();
  const foreign = kernel.ok
    ? 'listening sockets are opened by the main thread'
    : `workers bind by themselves: ${kernel.error}`;
  return [
    { engine: 'node', state: 'usable', note: `node:net and node:dgram; ${foreign}` },
    { engine: 'uring', state: 'usable', note: 'io_uring' },
  ];
}
