/** How a backend is, in one word: for operators, metrics and events. */

/**
 * In the order of what counts most: a backend that is drained and down is `drained`. standby: well,
 * but in another role than its pool wants. degraded: it serves, and its probes ask for less.
 */
export const BACKEND_STATES = [
  'leaving',
  'maintenance',
  'drained',
  'unresolved',
  'down',
  'standby',
  'ejected',
  'unproven',
  'full',
  'degraded',
  'up',
] as const;
export type BackendState = (typeof BACKEND_STATES)[number];
