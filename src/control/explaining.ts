/**
 * What a client that comes to a listener now would get, and why. The choice is a worker's, made by
 * the code that chooses; what limits and the queue say is read from the ledger.
 */
import { unreachable } from '../core/assert.js';
import type { ExplainedChoice, ExplainedMember, WorkerReply } from '../core/questions.js';
import type { PoolSettings } from '../core/spec.js';
import type { Ledger } from '../pool/ledger.js';
import type { Inquiries } from './inquiries.js';
import type { ListenerEntry, PoolEntry } from './inventory.js';
import type { ListenerNow } from './listener_watch.js';

export interface ChoiceView {
  readonly listener: string;
  /** By which route it comes there, in a sentence. */
  readonly route: string;
  /** '': the client is refused. */
  readonly pool: string;
  /** `POOL/BACKEND`; null: none. */
  readonly chosen: string | null;
  /** By which rule, in a sentence. */
  readonly rule: string;
  /** What becomes of the session, in a sentence. */
  readonly outcome: string;
  readonly backends: readonly ExplainedMember[];
}

export interface ExplainDeps {
  readonly inquiries: Inquiries;
  readonly ledger: Ledger;
  readonly listener: ListenerEntry;
  readonly listenerNow: ListenerNow;
  readonly pool: PoolEntry;
  /** Which route leads there, in a sentence. */
  readonly route: string;
  readonly clientKey: Uint8Array;
  /** Why its address alone would be refused; null: it would not. */
  readonly barred: string | null;
  /** By which order the pool is held, where it is. */
  readonly held: string;
}

/** Of a client that its route, or the listener, refuses. */
export function refusedView(listener: string, route: string, barred: string | null): ChoiceView {
  const rule = 'Nothing is chosen.';
  const outcome = barred ?? 'It is refused: no-route.';
  return { listener, route, pool: '', chosen: null, rule, outcome, backends: [] };
}

/** null: no worker has answered. */
export async function explainChoice(asking: ExplainDeps): Promise<ChoiceView | null> {
  const { inquiries, ledger, listener, listenerNow, pool, clientKey, barred } = asking;
  for (const worker of inquiries.workers()) {
    const answer = await inquiries.ask(worker, { kind: 'explain', pool: pool.id, clientKey });
    const told = read(answer);
    if (told === null) continue;
    const { rule, members } = told;
    const isHeld = pool.spec.settings.heldAtMost > 0;
    const chosen = rule.chosen === null || isHeld ? null : `${pool.key}/${rule.chosen}`;
    return {
      listener: listener.spec.name,
      route: asking.route,
      pool: pool.key,
      chosen,
      rule: isHeld ? `Once it is released: ${rule.sentence}` : rule.sentence,
      outcome: outcomeText({
        barred,
        protocol: listener.spec.protocol,
        listener: listenerNow,
        chosen: { chosen, whyNone: rule.whyNone },
        settings: pool.spec.settings,
        held: asking.held,
        queued: ledger.queued(pool.id),
      }),
      backends: members.map((one) => ({ ...one, name: `${pool.key}/${one.name}` })),
    };
  }
  return null;
}

function read(answer: WorkerReply) {
  if (answer.kind === 'silent') return null;
  let rule: ExplainedChoice | null = null;
  const members: ExplainedMember[] = [];
  for (const part of answer.parts) {
    if (part.kind === 'rule') rule = part.rule;
    else if (part.kind === 'members') members.push(...part.members);
  }
  return rule === null ? null : { rule, members };
}

export interface ExplainSituation {
  readonly protocol: 'tcp' | 'udp';
  readonly barred: string | null;
  readonly listener: Pick<ListenerNow, 'state' | 'reason'>;
  readonly chosen: Pick<ExplainedChoice, 'chosen' | 'whyNone'>;
  readonly settings: Pick<
    PoolSettings,
    'queueSize' | 'connectTimeoutMs' | 'queueTimeoutMs' | 'heldAtMost'
  >;
  /** By which order it is held, where it is. */
  readonly held: string;
  readonly queued: number;
}

/** By the order in which a session meets them: its listener, the queue, the choice. */
export function outcomeText(situation: ExplainSituation): string {
  const { protocol, barred, listener, chosen, settings, held, queued } = situation;
  if (listener.state === 'failed' || listener.state === 'closing') {
    return `It reaches no listener: ${listener.reason}.`;
  }
  if (barred !== null) return barred;
  if (listener.state === 'full') {
    return protocol === 'tcp'
      ? `It waits, not accepted yet: the listener has ${listener.reason}.`
      : `Its datagrams are dropped (flow-limit): the listener has ${listener.reason}.`;
  }
  if (settings.heldAtMost > 0) {
    return queued < settings.heldAtMost || protocol === 'udp'
      ? `It waits: the pool is ${held}.`
      : `It is refused: queue-full, and the pool is ${held}.`;
  }
  const queues = protocol === 'tcp' && settings.queueSize > 0;
  const isBehind = queues && queued > 0;
  if (isBehind || (queues && chosen.whyNone === 'all-full')) {
    if (queued >= settings.queueSize) return 'It is refused: queue-full.';
    const limit = `up to ${settings.queueTimeoutMs / 1000} s`;
    return `It waits in the queue, ${limit}, behind ${queued} of ${settings.queueSize}.`;
  }
  if (chosen.whyNone === null) return `It goes to ${chosen.chosen}.`;
  return noneText(chosen.whyNone, protocol, settings.connectTimeoutMs);
}

function noneText(
  why: Exclude<ExplainedChoice['whyNone'], null>,
  protocol: 'tcp' | 'udp',
  connectTimeoutMs: number,
): string {
  switch (why) {
    case 'unproven':
      return `It waits for the first verdict of health, up to ${connectTimeoutMs / 1000} s.`;
    case 'all-full':
    case 'all-down':
    case 'no-backend':
      return protocol === 'tcp' ? `It is refused: ${why}.` : `Its datagrams are dropped: ${why}.`;
    default:
      return unreachable(why);
  }
}
