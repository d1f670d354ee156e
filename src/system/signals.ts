/**
 * Every signal that would otherwise end, stop or open the daemon, and what it does instead. README
 * has this table, and so has `sluice run --help`.
 */
export type SignalEffect = 'reload' | 'stop' | 'nothing';

export interface SignalRule {
  readonly signal: NodeJS.Signals;
  readonly effect: SignalEffect;
  readonly why: string;
}

export const SIGNALS = [
  { signal: 'SIGHUP', effect: 'reload', why: 'reads the file again' },
  { signal: 'SIGUSR2', effect: 'reload', why: 'the same, as HAProxy has it' },
  {
    signal: 'SIGTERM',
    effect: 'stop',
    why: 'accepts nothing more, lets sessions finish; a second one ends it at once',
  },
  { signal: 'SIGINT', effect: 'stop', why: 'the same (Ctrl-C)' },
  { signal: 'SIGQUIT', effect: 'stop', why: 'the same, as nginx has it (Ctrl-\\)' },
  {
    signal: 'SIGUSR1',
    effect: 'nothing',
    why: 'there is no log file to open again, and no debugger opens',
  },
  ...nothing('SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGPWR', 'SIGSTKFLT'),
] as const satisfies readonly SignalRule[];

/** What the kernel or Node.js decides, described in the same table. */
export const OTHER_SIGNALS: readonly { readonly signals: string; readonly what: string }[] = [
  {
    signals: 'SIGPIPE, SIGXFSZ, SIGCHLD, SIGURG, SIGWINCH',
    what: 'nothing: they are ignored, and what caused them is an error of its call',
  },
  {
    signals: 'SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT',
    what: 'the process pauses and resumes; the pause counts towards no timeout',
  },
  {
    signals: 'SIGKILL, SIGABRT, SIGSEGV, SIGXCPU and the rest',
    what: 'they end it at once, as they end every program',
  },
];

export type DaemonSignal = (typeof SIGNALS)[number]['signal'];

/**
 * Calls `handler` at each signal of the table, in place of the kernel's default. Main thread only.
 */
export function onSignals(handler: (signal: DaemonSignal, effect: SignalEffect) => void): void {
  for (const { signal, effect } of SIGNALS) process.on(signal, () => handler(signal, effect));
}

/**
 * Calls `handler` at each `signal`, in place of the kernel's default (which ends the process).
 * Returns the function that takes the handler away again. Main thread only.
 */
export function onSignal(signal: DaemonSignal, handler: () => void): () => void {
  const listener = (): void => handler();
  process.on(signal, listener);
  return () => {
    process.off(signal, listener);
  };
}

function nothing<S extends NodeJS.Signals>(...signals: readonly S[]) {
  return signals.map((signal) => ({
    signal,
    effect: 'nothing' as const,
    why: 'it means nothing here',
  }));
}
