/** Passive health as in the reference, with gray failures at three times the others. */
import type { OutlierSpec } from '../../src/core/spec.js';

export const OUTLIER: OutlierSpec = {
  consecutiveFailures: 5,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectedPercent: 50,
  dryRun: false,
  latencyFactor: 3,
};
