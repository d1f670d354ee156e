/** Where the repository is, seen from the compiled tests. */
import { fileURLToPath } from 'node:url';

/** Absolute path without a slash at its end. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(
  /\/$/,
  '',
);
