/** What helps when the daemon cannot start, for refusals that come from the machine. Pure. */

/** By the name of the error in the sentence; the first that is found counts. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/EMFILE/, 'too few open files are allowed: raise LimitNOFILE (or `ulimit -n`)'],
  [/ENFILE/, 'the machine has too many files open: raise fs.file-max'],
  [/ERR_WORKER_INIT_FAILED|EAGAIN/, 'too few threads are allowed: raise TasksMax (or `ulimit -u`)'],
  [
    /ERR_WORKER_OUT_OF_MEMORY|ENOMEM|heap limit|allocation failed/i,
    'memory is short: raise MemoryMax (or `ulimit -v`), or set fewer workers',
  ],
  [/EADDRINUSE/, 'find the other program with `ss -lntup`'],
  [/EACCES/, 'ports below 1024 need CAP_NET_BIND_SERVICE, and a socket a folder it may write to'],
  [/EADDRNOTAVAIL/, 'the machine has no such address'],
];

/** The sentence, with what helps where that is known. */
export function withRemedy(sentence: string): string {
  const found = REMEDIES.find(([pattern]) => pattern.test(sentence));
  return found === undefined ? sentence : `${sentence}; ${found[1]}`;
}
