/** Limits of clients that refuse nothing; a test sets what it is about. */
import type { LimitsSpec } from '../../src/core/spec.js';

export const NO_LIMITS: LimitsSpec = {
  sessionsPerClient: 0,
  newPerClient: null,
  newPerSecond: 0,
  exempt: [],
  ipv6PrefixBits: 64,
  action: 'reset',
  delayMs: 5_000,
  dryRun: false,
};
