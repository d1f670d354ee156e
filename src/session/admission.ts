/** Whether a client may come to a listener at all, by its address. */
import { AccessList, type AccessRefusal } from '../core/access_table.js';
import { addressKey } from '../core/address_key.js';
import type { Endpoint } from '../core/endpoint.js';
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
  /** Whom an operator has denied; null: nobody. It is before the list, and never only tried. */
  readonly #denied: AccessList | null;

  constructor(list: AccessList | null, denied: AccessList | null) {
    this.#list = list;
    this.#denied = denied;
  }

  /** null: everybody may come, and nobody has to ask. */
  static of({ access, denied }: ListenerPlan): Admission | null {
    if (access === null && denied === null) return null;
    return new Admission(
      access === null ? null : new AccessList(access),
      denied === null ? null : new AccessList(denied),
    );
  }

  /** Why a client may not come. A UNIX peer has no address, and passed the mode of a file. */
  refusal(client: Endpoint, at: At, book: DryBook): AccessRefusal | null {
    return this.#judge(client, at, book, 'anybody');
  }

  /**
   * A trusted proxy is allowed by name already, and the list of those who are is about its clients;
   * but a block that denies it holds.
   */
  refusalOfProxy(proxy: Endpoint, at: At, book: DryBook): AccessRefusal | null {
    return this.#judge(proxy, at, book, 'a proxy');
  }

  #judge(
    client: Endpoint,
    at: At,
    book: DryBook,
    who: 'anybody' | 'a proxy',
  ): AccessRefusal | null {
    if (client.kind === 'unix') return null;
    const key = addressKey(client);
    if (this.#denied?.refusal(key) === 'denied') return 'denied';
    const refusal = this.#list?.refusal(key) ?? null;
    if (refusal === null || (who === 'a proxy' && refusal !== 'denied')) return null;
    if (this.#list?.isDryRun !== true) return refusal;
    book.wouldRefuse(at, refusal);
    return null;
  }
}
