/**
 * Tests with real servers: a missing program skips the test with the reason, and fails it where
 * SLUICE_FORBID_SKIP=1 says that everything must run (.ci/run).
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

const FOLDERS = [
  ...(process.env['PATH'] ?? '').split(':'),
  '/usr/sbin',
  '/sbin',
  '/usr/lib/postgresql/17/bin',
  '/usr/lib/postgresql/16/bin',
  '/usr/lib/postgresql/15/bin',
];

/** The program's path, or null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  return null;
}

/** The path of a program that was required before. */
export function program(name: string): string {
  const path = findProgram(name);
  if (path === null) throw new Error(`${name} is not installed`);
  return path;
}

/** True when every program is there; otherwise the test is skipped (or fails) and must return. */
export function haveServers(t: Test, ...names: readonly string[]): boolean {
  return available(
    t,
    names.map((name) => [`${name} is not installed`, findProgram(name) !== null]),
  );
}

/** As haveServers, for any condition: pairs of a reason to skip and whether all is well. */
export function available(t: Test, facts: readonly (readonly [string, boolean])[]): boolean {
  const missing = facts.filter(([, fine]) => !fine).map(([reason]) => reason);
  if (missing.length === 0) return true;
  const reason = missing.join(', ');
  if (process.env['SLUICE_FORBID_SKIP'] === '1') t.fail(`${reason}, and skipping is forbidden`);
  else t.plan(0, reason);
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
