/** The signals that a daemon answers: reload (SIGHUP) and stop (SIGTERM, SIGINT). */
export type DaemonSignal = 'SIGHUP' | 'SIGTERM' | 'SIGINT';

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
