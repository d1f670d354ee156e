/** Which engines tests run on. */
import { detectUring } from '../../src/engine/uring/detect.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import type { EngineUnderTest } from './daemon.js';

/** Those that are named, or all that the machine allows; why one is left out is printed. */
export function enginesUnderTest(): readonly EngineUnderTest[] {
  const named = process.env['SLUICE_TEST_ENGINES'];
  if (named !== undefined) return named.split(',').filter(isEngine);
  const uring = detectUring(loadKernel());
  if (uring.ok) return ['node', 'uring'];
  console.log(`engine uring does not work here: ${uring.cause}; ${uring.remedy}`);
  // Where nothing may be skipped its tests run all the same, and fail.
  return process.env['SLUICE_FORBID_SKIP'] === '1' ? ['node', 'uring'] : ['node'];
}

function isEngine(name: string): name is EngineUnderTest {
  return name === 'node' || name === 'uring';
}
