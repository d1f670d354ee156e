/**
 * Clients that are refused by their address, or because they have or want too much, before a byte
 * of theirs is read. A flood of them must cost little: they have no session, take no place, and get
 * few lines; the next line says how many had none.
 */
import { addressKey } from '../../core/address_key.js';
import { networkText } from '../../core/address_text.js';
import type { PairId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { Peer } from '../../core/endpoint.js';
import type { Cause } from '../../core/outcome.js';
import { TOO_FAST, TOO_MANY } from '../../pool/client_table.js';
import { CountedClients, type CountedClientsDeps, type LimitRefusal } from '../counted_clients.js';
import type { Limiter } from '../limiter.js';
import type { ListenerKey, TcpEngine } from '../tcp_port.js';
import type { SessionBook } from './book.js';
import type { HowToClose } from './ending.js';
import { LateResets } from './late_resets.js';
import type { TcpFace, TcpListener } from './listener.js';
import type { TcpSession } from './session.js';
import { Trials } from './trials.js';

/** Access lines of a worker about them. */
const LINES_PER_SECOND = 10;

export class TurnedAway {
  readonly #engine: TcpEngine;
  readonly #clock: Clock;
  readonly #book: SessionBook;
  readonly #counted: CountedClients;
  readonly #late: LateResets;
  /** Those that are read although they have or want too much. */
  readonly #trials = new Trials();
  /** By pair: 1: it was turned away, and its `closed` has not come. */
  readonly #away: Uint8Array;
  #secondMs = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(deps: CountedClientsDeps & { readonly engine: TcpEngine }, book: SessionBook) {
    this.#engine = deps.engine;
    this.#clock = deps.clock;
    this.#book = book;
    this.#counted = new CountedClients(deps.engine.capacity, deps, book);
    this.#late = new LateResets(deps.engine, deps.clock);
    this.#away = new Uint8Array(deps.engine.capacity);
  }

  /**
   * Refuses the client of `pair`, which has just come, if its listener says so; else it counts for
   * its client from now on. Behind a trusted proxy the client is not known yet; and one that may
   * have come to cancel a session is read first, or a client with all the sessions that it may have
   * could cancel none of them.
   */
  refuses(listener: TcpListener, key: ListenerKey, pair: PairId): boolean {
    const face = listener.faceAt(key);
    const { admission, limiter, plan } = face;
    if (admission === null && limiter === null) return false;
    const peer = this.#engine.client(pair);
    const isProxy = plan.settings.trustedProxies !== null;
    const judge = isProxy ? 'refusalOfProxy' : 'refusal';
    const barred = admission?.[judge](peer, listener, this.#book) ?? null;
    if (barred !== null) {
      this.#refuse(face, pair, barred);
      this.#engine.close(pair, 'reset');
      return true;
    }
    if (limiter === null || isProxy) return false;
    if (this.#isOnTrial(face, limiter, pair, peer)) return false;
    const refusal = this.#counted.refusal(limiter, pair, peer, listener);
    if (refusal === null) return false;
    this.#refuse(face, pair, refusal);
    const how = howToRefuse(face);
    if (how === 'later') this.#late.reset(pair, limiter.spec.delayMs);
    else this.#engine.close(pair, how);
    return true;
  }

  /**
   * The client of a session, which a trusted proxy has just named, counts from now on, or why not.
   * null, too: it has come to cancel, or may have, and is read first.
   */
  refusalOfNamed(session: TcpSession, client: Peer): LimitRefusal | null {
    const { pair, face, listener, facts } = session;
    if (face.limiter === null || facts.postgres?.kind === 'cancel') return null;
    if (facts.postgres === null && this.#isOnTrial(face, face.limiter, pair, client)) return null;
    return this.#counted.refusal(face.limiter, pair, client, listener);
  }

  /** The client of a session that was on trial, and was read, counts from now on, or why not. */
  refusalOfHeard({ pair, face, listener, facts }: TcpSession): LimitRefusal | null {
    if (!this.#trials.end(pair) || face.limiter === null) return null;
    const client = facts.proxied?.source ?? this.#engine.client(pair);
    return this.#counted.refusal(face.limiter, pair, client, listener);
  }

  /** It is a cancel: no session of its client. */
  forgive(session: TcpSession): void {
    const { pair, face, acceptedMs } = session;
    this.#trials.end(pair);
    if (!this.#counted.any) return;
    const client = session.client(this.#engine.client(pair));
    this.#counted.isNone(face.limiter, pair, client, acceptedMs);
  }

  /** Resets the client of a session after a while. */
  resetLater({ pair, face }: TcpSession): void {
    this.#late.reset(pair, face.plan.settings.limits?.delayMs ?? 0);
  }

  /** Those that wait for it are reset now. */
  resetAll(): void {
    this.#late.resetAll();
  }

  /** Resets those whose time has come; answers when the next one is due. */
  tick(nowMs: number): number {
    return this.#late.count === 0 ? Number.POSITIVE_INFINITY : this.#late.tick(nowMs);
  }

  /** An edge says that `pair` is over; false: it was not turned away. */
  over(pair: PairId): boolean {
    if (this.#counted.any) this.#counted.over(pair);
    if (this.#late.count > 0) this.#late.forget(pair);
    if (this.#trials.count > 0) this.#trials.end(pair);
    if (this.#away[pair] !== 1) return false;
    this.#away[pair] = 0;
    return true;
  }

  /** A client that would be refused is read first, if there is room: then it is on trial. */
  #isOnTrial(face: TcpFace, limiter: Limiter, pair: PairId, client: Peer): boolean {
    const mayCancel = face.plan.settings.postgres?.cancel === 'route' && !limiter.spec.dryRun;
    if (!mayCancel || client.kind === 'unix') return false;
    const answer = limiter.look(client, this.#clock.nowMs());
    if (answer !== TOO_MANY && answer !== TOO_FAST) return false;
    return this.#trials.begin(pair, networkText(addressKey(client), limiter.spec.ipv6PrefixBits));
  }

  /** Writes it down; the pair is to be closed. */
  #refuse(face: TcpFace, pair: PairId, cause: Cause): void {
    this.#away[pair] = 1;
    const end = { by: 'sluice', stage: 'accept', cause } as const;
    const unlogged = this.#mayLog() ? this.#unlogged : null;
    if (this.#book.turnedAway(face, pair, end, unlogged)) this.#unlogged = 0;
    else this.#unlogged++;
  }

  #mayLog(): boolean {
    const now = this.#clock.nowMs();
    if (now - this.#secondMs >= 1_000) {
      this.#secondMs = now;
      this.#lines = 0;
    }
    return ++this.#lines <= LINES_PER_SECOND;
  }
}

/** How a client ends that has or wants too much. */
export function howToRefuse({ plan }: TcpFace): HowToClose {
  const action = plan.settings.limits?.action ?? 'reset';
  if (action === 'delay') return 'later';
  return action === 'close' ? 'flush' : 'reset';
}
