/** What helps when the daemon cannot start, for refusals that come from the machine. Pure. */

const FORBIDDEN =
  'a seccomp profile or a security module refuses the call: look into the audit log';

/** By the name of the error in the sentence; the first that is found counts. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/uv_cwd/, 'the working directory was deleted: start sluice in one that is there'],
  [
    /connecting says/,
    'see whose it is (`ss -xlp`); remove it if it is left over, or choose another path',
  ],
  [/EMFILE/, 'too few open files are allowed: raise LimitNOFILE (or `ulimit -n`)'],
  [/ENFILE/, 'the machine has too many files open: raise fs.file-max'],
  [/EPERM \(ERR_WORKER_INIT_FAILED\)/, FORBIDDEN],
  [/ERR_WORKER_INIT_FAILED|EAGAIN/, 'too few threads are allowed: raise TasksMax (or `ulimit -u`)'],
  [
    /ERR_WORKER_OUT_OF_MEMORY|ENOMEM|ENOBUFS|heap limit|allocation failed/i,
    'memory is short: raise MemoryMax (or `ulimit -v`), or set fewer workers',
  ],
  [/EADDRINUSE/, 'find the other program with `ss -lntup`'],
  [/unix:.*EACCES/, "the daemon's user cannot write to the folder of the socket"],
  [/EACCES/, 'ports below 1024 need CAP_NET_BIND_SERVICE (AmbientCapabilities in the unit)'],
  [
    /EADDRNOTAVAIL/,
    'the machine has no such address: if it comes later, set bind_missing = true for the ' +
      'listener (where foreign calls do not work: net.ipv4.ip_nonlocal_bind = 1)',
  ],
  [
    /EAFNOSUPPORT/,
    'the kernel has no such addresses (IPv6?), or RestrictAddressFamilies does not allow them',
  ],
  [/EPERM/, FORBIDDEN],
  [/bind: .*ENOENT/, 'the folder of the socket must exist: RuntimeDirectory in the unit makes one'],
  [/bind: .*EROFS/, 'the socket must be in a folder that may be written to (ReadWritePaths)'],
];

/** The sentence, with what helps where that is known. */
export function withRemedy(sentence: string): string {
  const found = REMEDIES.find(([pattern]) => pattern.test(sentence));
  return found === undefined ? sentence : `${sentence}; ${found[1]}`;
}
