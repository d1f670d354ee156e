/** A registry of the application as a source of backends: an object that tells who is there. */
import { readAddress } from '../core/address_text.js';
import type { Timers } from '../core/clock.js';
import {
  type Answer,
  failed,
  type GiveUp,
  type Member,
  named,
  plainMember,
  type Source,
} from '../discovery/source.js';

/** One that a registry names: an address, or where it is in parts. */
export interface Instance {
  readonly address?: string;
  readonly host?: string;
  readonly port?: number;
  readonly name?: string;
  readonly weight?: number;
  readonly maxConnections?: number;
  readonly backup?: boolean;
}

export type Instances = readonly (string | Instance)[];

/** Tells everybody that it knows, at once and at each change. */
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
const MAX_WEIGHT = 1_000;

export function registrySource(registry: Registry, service: string, timers: Timers): Source {
  let news: Answer | null = null;
  let wake = (): void => {};
  let begun: 'no' | 'yes' = 'no';
  const tell = (answer: Answer): void => {
    news = answer;
    wake();
  };
  const begin = (signal: GiveUp): void => {
    begun = 'yes';
    const end = new AbortController();
    signal.addEventListener('abort', () => end.abort(), { once: true });
    if ('subscribe' in registry) {
      const heard = (all: Instances): void => tell(answerOf(all));
      caught(tell, async () => void (await registry.subscribe(heard, { signal: end.signal })));
      return;
    }
    const ask = (): void =>
      caught(tell, async () => tell(answerOf(await registry.getInstances(service))));
    registry.on('instances-changed', ask);
    end.signal.addEventListener('abort', () => registry.off('instances-changed', ask));
    ask();
  };
  return {
    ask: (signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          timer.cancel();
          wake = () => {};
          signal.removeEventListener('abort', done);
          const answer = news ?? { kind: 'unchanged', againMs: 0 };
          news = null;
          resolve(answer);
        };
        const timer = timers.after(PATIENCE_MS, done);
        signal.addEventListener('abort', done, { once: true });
        wake = done;
        if (begun === 'no') begin(signal);
        else if (news !== null) done();
      }),
  };
}

/** What the registry throws is no answer. */
function caught(tell: (answer: Answer) => void, work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    tell(failed('refused', error instanceof Error ? error.message : String(error)));
  });
}

function answerOf(all: unknown): Answer {
  if (!Array.isArray(all)) return failed('malformed', 'the registry told no list');
  const members: Member[] = [];
  const leftOut: string[] = [];
  for (const one of all as Instances) {
    const member = memberOf(typeof one === 'string' ? { address: one } : one);
    if (typeof member === 'string') leftOut.push(member);
    else members.push(member);
  }
  return named(members, 0, leftOut);
}

/** A clause where it cannot be used. */
function memberOf(instance: Instance): Member | string {
  const { address, host, port, name, weight = 1, maxConnections, backup = false } = instance ?? {};
  const bracketed = host?.includes(':') === true ? `[${host}]` : host;
  const text = address ?? `${bracketed}:${port}`;
  const read = readAddress(text);
  if (!read.ok) return `${text}: ${read.error.problem}`;
  if (!Number.isInteger(weight) || weight < 0 || weight > MAX_WEIGHT) {
    return `${text}: a weight of ${weight}`;
  }
  return {
    ...plainMember(read.value),
    name: name ?? null,
    weight,
    maxConnections: maxConnections ?? null,
    backup,
  };
}
