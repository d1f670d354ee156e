/**
 * A registry of the application as a source of backends: an object that knows the backends. What it
 * throws is no answer, and a late answer never replaces a newer one.
 */
import type { Timers } from '../core/clock.js';
import { shown } from '../discovery/answers.js';
import { type GiveUp, type Source, type SourceAnswer, sourceFailed } from '../discovery/source.js';
import { endablePause } from '../discovery/time_limit.js';
import { answerOf, type Instances } from './instances.js';
import { messageOf } from './words.js';

/** Reports all backends that it knows, at once and at each change. */
export interface SubscribedRegistry {
  subscribe(onSnapshot: (all: Instances) => void, about: { readonly signal: AbortSignal }): unknown;
}

/** Is asked, and says when asking is worth it. */
export interface EmittingRegistry {
  getInstances(name: string): Instances | PromiseLike<Instances>;
  on(event: 'instances-changed', listener: () => void): unknown;
  off(event: 'instances-changed', listener: () => void): unknown;
}

export type Registry = SubscribedRegistry | EmittingRegistry;

/** How long a question waits for news. */
const PATIENCE_MS = 30_000;
/** Between two questions to `getInstances`, however often it says that something has changed. */
const GAP_MS = 100;
/** Of one question to `getInstances`. */
const LIMIT_MS = 10_000;

export function registrySource(registry: Registry, service: string, timers: Timers): Source {
  const inbox = new Inbox(timers);
  const begin =
    'subscribe' in registry ? subscriber(registry, inbox) : asker(registry, service, inbox, timers);
  return {
    ask(giveUp) {
      // One that has failed is tried again: its follower asks less and less often.
      if (inbox.state !== 'well') begin(giveUp);
      return inbox.next(giveUp);
    },
  };
}

/** The newest answer until it is taken. */
class Inbox {
  readonly #timers: Timers;
  #news: SourceAnswer | null = null;
  #wake = (): void => {};
  /** `new`: it was never asked. `failed`: its last answer was a failure. */
  state: 'new' | 'well' | 'failed' = 'new';

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  tell(answer: SourceAnswer): void {
    this.state = answer.kind === 'failed' ? 'failed' : 'well';
    // A failure says nothing about the backends that were named just before it.
    if (answer.kind !== 'failed' || this.#news === null) this.#news = answer;
    this.#wake();
  }

  next(giveUp: GiveUp): Promise<SourceAnswer> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#wake = () => {};
        giveUp.removeEventListener('abort', done);
        const answer = this.#news ?? { kind: 'unchanged', againMs: 0 };
        this.#news = null;
        resolve(answer);
      };
      const timer = this.#timers.after(PATIENCE_MS, done);
      giveUp.addEventListener('abort', done, { once: true });
      this.#wake = done;
      if (this.#news !== null || giveUp.aborted) done();
    });
  }
}

type Begin = (giveUp: GiveUp) => void;

/** Subscribes, and again where that has failed; only the last subscription counts. */
function subscriber(registry: SubscribedRegistry, inbox: Inbox): Begin {
  return (giveUp) => {
    inbox.state = 'well';
    const end = new AbortController();
    const { signal } = end;
    const stop = (): void => end.abort();
    giveUp.addEventListener('abort', stop, { once: true });
    const heard = (all: Instances): void => {
      if (!signal.aborted) inbox.tell(answerOf(all));
    };
    const subscribed = async (): Promise<void> =>
      void (await registry.subscribe(heard, { signal }));
    subscribed().catch((error: unknown) => {
      giveUp.removeEventListener('abort', stop);
      if (signal.aborted) return;
      stop();
      inbox.tell(sourceFailed('refused', shown(messageOf(error))));
    });
  };
}

/** Asks one question at a time; news that come meanwhile are one more question. */
function asker(registry: EmittingRegistry, service: string, inbox: Inbox, timers: Timers): Begin {
  let listens: 'no' | 'yes' = 'no';
  let asking: 'no' | 'yes' = 'no';
  let wanted = 0;
  const look = async (giveUp: GiveUp): Promise<void> => {
    wanted++;
    if (asking === 'yes') return;
    asking = 'yes';
    for (let seen = 0; seen !== wanted && !giveUp.aborted; ) {
      seen = wanted;
      inbox.tell(await answered(registry, service, timers));
      await endablePause(timers, GAP_MS, giveUp);
    }
    asking = 'no';
  };
  const listen = (giveUp: GiveUp): void => {
    const changed = (): void => void look(giveUp);
    registry.on('instances-changed', changed);
    listens = 'yes';
    const leave = (): void => {
      try {
        registry.off('instances-changed', changed);
      } catch {
        // It is not used any more in any case.
      }
    };
    giveUp.addEventListener('abort', leave, { once: true });
  };
  return (giveUp) => {
    inbox.state = 'well';
    try {
      if (listens === 'no') listen(giveUp);
    } catch (error) {
      return inbox.tell(sourceFailed('refused', shown(messageOf(error))));
    }
    void look(giveUp);
  };
}

async function answered(
  registry: EmittingRegistry,
  service: string,
  timers: Timers,
): Promise<SourceAnswer> {
  let timer = { cancel: (): void => {} };
  const late = new Promise<SourceAnswer>((resolve) => {
    const problem = `getInstances did not answer within ${LIMIT_MS / 1_000} s`;
    timer = timers.after(LIMIT_MS, () => resolve(sourceFailed('timeout', problem)));
  });
  const asked = async (): Promise<SourceAnswer> => answerOf(await registry.getInstances(service));
  try {
    return await Promise.race([asked(), late]);
  } catch (error) {
    return sourceFailed('refused', shown(messageOf(error)));
  } finally {
    timer.cancel();
  }
}
