/**
 * What a whole file must have, beyond what its parts must be: at least one listener. A file that is
 * empty, or was cut off while it was written, is valid TOML; taken at its word it would close every
 * listener.
 */
import type { Check } from './check.js';

export const checkServed: Check = ({ config }) => {
  if (Object.keys(config.listeners).length > 0) return [];
  return [
    {
      code: 'missing',
      path: ['listeners'],
      problem: 'no listener, so nothing would be served',
      expected: 'at least one table [listeners.NAME]',
      got: 'none',
    },
  ];
};
