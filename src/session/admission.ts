/** Whether a client may come to a listener at all, by its address. */
import { AccessList, type AccessRefusal } from '../core/access_table.js';
import { addressKey } from '../core/address_key.js';
import type { Endpoint } from '../core/endpoint.js';
import type { ListenerPlan } from '../core/plan.js';

export class Admission {
  readonly #list: AccessList;

  constructor(list: AccessList) {
    this.#list = list;
  }

  /** null: everybody may come, and nobody has to ask. */
  static of({ access }: ListenerPlan): Admission | null {
    return access === null ? null : new Admission(new AccessList(access));
  }

  /** True: who may not come is counted, and comes. */
  get isDryRun(): boolean {
    return this.#list.isDryRun;
  }

  /** A UNIX peer has no address, and passed the mode of a file. */
  refusal(client: Endpoint): AccessRefusal | null {
    return client.kind === 'unix' ? null : this.#list.refusal(addressKey(client));
  }

  /**
   * A trusted proxy is allowed by name already, and the list of those who are is about its clients;
   * but a block that denies it holds.
   */
  refusalOfProxy(proxy: Endpoint): AccessRefusal | null {
    return this.refusal(proxy) === 'denied' ? 'denied' : null;
  }
}
