/**
 * A module for `DaemonSetup.everyThread`: the FFI package cannot be loaded, as where it is not
 * installed.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
Object.defineProperty(require.cache, require.resolve('koffi'), {
  get: () => {
    throw new Error('a test has left it out');
  },
});
