/** Connections that are refused: connect, await the end, the next one. */
import { ERRNO } from '../../src/kernel/errno.js';
import type { ClientSetup, Clients } from './clients.js';
import type { LoadLoop } from './loop.js';
import { OneAfterAnother } from './one_after_another.js';
import type { Target, Work } from './protocol.js';

/** How a proxy may end one: in order, or by a reset, which may even fail the connect. */
const ENDS: readonly number[] = [0, -ERRNO.ECONNRESET];

export class Refusals extends OneAfterAnother {
  readonly #target: Target;

  constructor(
    loop: LoadLoop,
    clients: Clients,
    target: Target,
    { connections }: Work & { readonly kind: 'refused' },
  ) {
    super(loop, clients, connections);
    this.#target = target;
  }

  protected override setup(): ClientSetup {
    return {
      ...this.#target,
      bytes: 1,
      events: {
        connected: (slot) => this.clients.receive(slot),
        replied: (slot) => {
          this.failures++;
          this.clients.close(slot);
          this.next(slot);
        },
        failed: (slot, _, answer) => {
          if (ENDS.includes(answer)) this.succeeded(slot);
          else this.failures++;
          this.next(slot);
        },
      },
    };
  }
}
