/** Short connections: connect, one exchange, reset, the next one. */
import { clientHello, extension } from '../../test/support/client_hello.js';
import type { ClientSetup, Clients } from './clients.js';
import type { LoadLoop } from './loop.js';
import { OneAfterAnother } from './one_after_another.js';
import type { Target, Work } from './protocol.js';

/** RFC 7685: an extension that fills a hello up. */
const PADDING = 21;

export class ShortConnections extends OneAfterAnother {
  readonly #target: Target;
  readonly #work: Work & { readonly kind: 'short' };

  constructor(
    loop: LoadLoop,
    clients: Clients,
    target: Target,
    work: Work & { readonly kind: 'short' },
  ) {
    super(loop, clients, work.connections);
    this.#target = target;
    this.#work = work;
  }

  protected override setup(): ClientSetup {
    const { bytes, serverName, sources = 1 } = this.#work;
    const message = serverName === undefined ? {} : { message: helloOf(serverName, bytes) };
    return {
      ...this.#target,
      ...message,
      bytes,
      sources,
      events: {
        connected: (slot) => this.clients.exchange(slot),
        replied: (slot) => {
          this.succeeded(slot);
          this.clients.close(slot);
          this.next(slot);
        },
        failed: (slot) => {
          this.failures++;
          this.next(slot);
        },
      },
    };
  }
}

/** As clients of today that are no browsers say it: one record, the name before all else. */
function helloOf(name: string, bytes: number): Uint8Array {
  const hello = (filler: number): Buffer =>
    clientHello({
      names: [Buffer.from(name)],
      behind: [extension(PADDING, Buffer.alloc(filler))],
    });
  return hello(bytes - hello(0).length);
}
