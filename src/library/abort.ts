/**
 * What waits for a caller's signal. One signal often ends a thousand requests, as that of a
 * shutdown does, and Node.js keeps the listeners of a signal in a list: it warns of more than ten,
 * and looks through all of them to take one away. So a signal has one listener of ours, and what
 * waits for it is in a set.
 */

interface Crowd {
  readonly waiting: Set<() => void>;
  readonly tell: () => void;
}

const crowds = new WeakMap<AbortSignal, Crowd>();

/** Calls `act`, which must not throw, once `signal` aborts, unless what it answers is called. */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  const crowd = crowds.get(signal) ?? gathered(signal);
  // A function of its own, so that a request that waits twice is called twice.
  const one = (): void => act();
  crowd.waiting.add(one);
  return () => {
    crowd.waiting.delete(one);
    if (crowd.waiting.size > 0 || crowds.get(signal) !== crowd) return;
    crowds.delete(signal);
    signal.removeEventListener('abort', crowd.tell);
  };
}

function gathered(signal: AbortSignal): Crowd {
  const waiting = new Set<() => void>();
  const tell = (): void => {
    crowds.delete(signal);
    for (const act of waiting) act();
  };
  const crowd = { waiting, tell };
  crowds.set(signal, crowd);
  signal.addEventListener('abort', tell, { once: true });
  return crowd;
}
