/** The admin page of a daemon. Traffic is served whether or not the page can be. */
import { type AdminDeps, type AdminServer, startAdmin } from '../admin/http.js';
import { formatAddress, type IpEndpoint } from '../core/endpoint.js';
import type { Log } from '../observe/log.js';
import type { HandedSocket } from './kept_sockets.js';

export class Site {
  readonly #deps: AdminDeps;
  readonly #log: Log;
  #server: AdminServer | null = null;
  /** Where the file wanted it, as text. */
  #wanted = '';

  constructor(deps: AdminDeps, log: Log) {
    this.#deps = deps;
    this.#log = log;
  }

  get isOpen(): boolean {
    return this.#server !== null;
  }

  /**
   * Opens it at `http`, if the file wants one and it is not open yet; `taken` may have a socket
   * that listens there.
   */
  async open(http: IpEndpoint | null, taken: (name: string) => number | null): Promise<void> {
    if (http === null || this.#server !== null) return;
    this.#wanted = `http/${formatAddress(http)}`;
    const opened = await startAdmin(http, this.#deps, taken(this.#wanted));
    if (!opened.ok) {
      this.#log.event('admin-failed', { address: formatAddress(http), ...opened.error });
      return;
    }
    this.#server = opened.value;
    this.#log.event('admin-listening', { address: formatAddress(opened.value.endpoint) });
  }

  /** Its socket, for another process; null: it is not open. */
  get socket(): HandedSocket | null {
    const fd = this.#server?.fd ?? null;
    return fd === null ? null : { fd, name: this.#wanted };
  }

  /** Another process has its socket now. */
  leave(): void {
    this.#server?.leave();
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
