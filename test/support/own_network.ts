/**
 * A network for one test file, with source ports as the test wants them: the file runs once more,
 * by itself, in a network namespace (network_namespaces(7)), and its results are those of the test.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { available, findProgram } from './require_server.js';

const INSIDE = 'SLUICE_TEST_NETWORK';
/** With root's rights, or with those that the kernel may give to any user in a namespace. */
const WAYS: readonly (readonly string[])[] = [['--net'], ['--net', '--map-root-user']];

/**
 * True inside. Outside it runs the file inside, and the caller has nothing to do; where no network
 * can be made the file is skipped.
 */
export function inOwnNetwork(file: string): boolean {
  if (process.env[INSIDE] !== undefined) return true;
  const unshare = findProgram('unshare');
  const ip = findProgram('ip');
  const way = WAYS.find((words) => unshare !== null && can(unshare, words));
  const fine = available(t, [
    ['unshare (util-linux) is not installed', unshare !== null],
    ['ip (iproute2) is not installed', ip !== null],
    ['no network can be made here (unshare --net)', unshare === null || way !== undefined],
  ]);
  if (!fine || unshare === null || ip === null || way === undefined) return false;
  const begin = ['sh', '-c', '"$0" link set lo up && exec "$@"', ip];
  const again = [process.execPath, ...process.execArgv, fileURLToPath(file)];
  void t.spawn(unshare, [...way, ...begin, ...again], {
    name: 'in a network of its own',
    env: { ...process.env, [INSIDE]: '1' },
  });
  return false;
}

function can(unshare: string, words: readonly string[]): boolean {
  return spawnSync(unshare, [...words, 'true'], { timeout: 5_000 }).status === 0;
}
