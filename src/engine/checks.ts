/** Looks at this machine once: which engines it allows, best first. */
import { loadKernel } from '../kernel/foreign.js';
import type { EngineCheck } from './select.js';
import { detectUring } from './uring/detect.js';

export function checkEngines(): readonly EngineCheck[] {
  const kernel = loadKernel();
  const foreign = kernel.ok
    ? 'listening sockets are opened by the main thread'
    : `workers bind by themselves: ${kernel.error}`;
  return [
    checkUring(),
    { engine: 'node', state: 'usable', note: `node:net and node:dgram; ${foreign}` },
  ];
}

function checkUring(): EngineCheck {
  const support = detectUring(loadKernel());
  if (support.ok) {
    const { lacks } = support;
    const note = lacks === null ? 'io_uring and splice(2)' : 'io_uring, without splice(2)';
    return { engine: 'uring', state: 'usable', note, ...(lacks === null ? {} : { lacks }) };
  }
  const { cause, remedy } = support;
  return { engine: 'uring', state: 'unusable', cause, remedy };
}
