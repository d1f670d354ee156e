/** Whether a client may come to a listener at all, by its address. */
import { AccessList, type AccessRefusal } from '../core/access_table.js';
import { KeyRoom } from '../core/address_key.js';
import type { Peer } from '../core/endpoint.js';
import type { ListenerPlan } from '../core/plan.js';

/** The listener that it is about. */
interface At {
  readonly plan: ListenerPlan;
}

/** Where it is written down that a rule which is only tried would have refused a client. */
export interface DryBook {
  wouldRefuse(at: At, reason: AccessRefusal): void;
}

export class Admission {
  /** What the file says; null: nothing. */
  readonly #list: AccessList | null;
  /**
   * Clients that an operator has denied; null: none. It comes before the list, and is never a dry
   * run.
   */
  readonly #denied: AccessList | null;
  readonly #room = new KeyRoom();

  constructor(list: AccessList | null, denied: AccessList | null) {
    this.#list = list;
    this.#denied = denied;
  }

  /** null: all clients may connect, and there is nothing to check. */
  static of({ access, denied }: ListenerPlan): Admission | null {
    if (access === null && denied === null) return null;
    return new Admission(
      access === null ? null : new AccessList(access),
      denied === null ? null : new AccessList(denied),
    );
  }

  /**
   * Why a client is refused; null: it is not. A UNIX peer has no address, and passed the mode of a
   * file.
   */
  refusal(client: Peer, at: At, book: DryBook): AccessRefusal | null {
    return this.#judge(client, at, book, 'a client');
  }

  /**
   * A trusted proxy is allowed by name already, and the list of allowed ones is about its clients;
   * but a block that denies it holds.
   */
  refusalOfProxy(proxy: Peer, at: At, book: DryBook): AccessRefusal | null {
    return this.#judge(proxy, at, book, 'a proxy');
  }

  #judge(client: Peer, at: At, book: DryBook, who: 'a client' | 'a proxy'): AccessRefusal | null {
    if (client.kind === 'unix') return null;
    const key = this.#room.keyOf(client);
    if (this.#denied?.refusal(key) === 'denied') return 'denied';
    const refusal = this.#list?.refusal(key) ?? null;
    if (refusal === null || (who === 'a proxy' && refusal !== 'denied')) return null;
    if (this.#list?.isDryRun !== true) return refusal;
    book.wouldRefuse(at, refusal);
    return null;
  }
}
