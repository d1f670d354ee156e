/** What the daemon does at each signal, as a table for the help. */
import { OTHER_SIGNALS, SIGNALS } from '../system/signals.js';

const SIGNAL_COLUMN = 11;
const EFFECT_COLUMN = 9;

/** One line a signal, then what the kernel or Node.js decides. */
export function signalTable(): string {
  const own = SIGNALS.map(
    ({ signal, effect, why }) =>
      `  ${signal.padEnd(SIGNAL_COLUMN)}${effect.padEnd(EFFECT_COLUMN)}${why}`,
  );
  const others = OTHER_SIGNALS.map(({ signals, what }) => `  ${signals}:\n    ${what}`);
  return ['Signals:', ...own, ...others].join('\n');
}
