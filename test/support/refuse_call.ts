/**
 * JavaScript for `DaemonSetup.preload`: a seccomp filter by which the process, and every thread
 * that it starts from then on, is refused one system call with EPERM, as container runtimes do.
 */
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/** Numbers of splice(2) by architecture: <asm/unistd.h>. */
export const SPLICE: Readonly<Record<string, number>> = { x64: 275, arm64: 76 };

/**
 * `flags`: only calls whose sixth argument is this one are refused; all of them by default.
 */
export function refuseCall(nr: number, flags?: number): string {
  const packageFile = join(repositoryRoot, 'package.json');
  return `
const { createRequire } = await import('node:module');
const koffi = createRequire(${JSON.stringify(packageFile)})('koffi');
const libc = koffi.load(null);
const mmap = libc.func('mmap', 'long', ['long', 'long', 'int', 'int', 'int', 'long']);
const prctl = libc.func('prctl', 'int', ['int', 'long', 'long', 'long', 'long']);
// Readable and writable, private, anonymous.
const address = Number(mmap(0, 4096, 3, 0x22, -1, 0));
const memory = new DataView(koffi.view(BigInt(address), 4096));
// <linux/filter.h>: load the number of the call; is it this one? Load its flags; are they these?
// Refuse with EPERM; allow.
const program = [
  [0x20, 0, 0, 0],
  [0x15, 0, 3, ${nr}],
  [0x20, 0, 0, 16 + 8 * 5],
  [0x15, 0, ${flags === undefined ? 0 : 1}, ${flags ?? 0}],
  [0x06, 0, 0, 0x00050001],
  [0x06, 0, 0, 0x7fff0000],
];
program.forEach(([code, yes, no, k], index) => {
  const at = 64 + 8 * index;
  memory.setUint16(at, code, true);
  memory.setUint8(at + 2, yes);
  memory.setUint8(at + 3, no);
  memory.setUint32(at + 4, k, true);
});
memory.setUint16(0, program.length, true);
memory.setBigUint64(8, BigInt(address + 64), true);
// PR_SET_NO_NEW_PRIVS; PR_SET_SECCOMP, SECCOMP_MODE_FILTER.
if (prctl(38, 1, 0, 0, 0) !== 0 || prctl(22, 2, address, 0, 0) !== 0) {
  throw new Error('a seccomp filter cannot be set here');
}
`;
}
