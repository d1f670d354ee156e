/** The admin page of a daemon. Traffic is served whether or not the page can be. */
import { type AdminDeps, type AdminServer, startAdmin } from '../admin/http.js';
import { formatAddress, type IpEndpoint } from '../core/endpoint.js';
import type { Log } from '../observe/log.js';

export class Site {
  readonly #deps: AdminDeps;
  readonly #log: Log;
  #server: AdminServer | null = null;

  constructor(deps: AdminDeps, log: Log) {
    this.#deps = deps;
    this.#log = log;
  }

  get isOpen(): boolean {
    return this.#server !== null;
  }

  /** Opens it at `http`, if the file wants one and it is not open yet. */
  async open(http: IpEndpoint | null): Promise<void> {
    if (http === null || this.#server !== null) return;
    const opened = await startAdmin(http, this.#deps);
    if (!opened.ok) {
      this.#log.event('admin-failed', { address: formatAddress(http), ...opened.error });
      return;
    }
    this.#server = opened.value;
    this.#log.event('admin-listening', { address: formatAddress(opened.value.endpoint) });
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
