/** Where a daemon is asked and operated: the admin page and the control socket. */
import type { AdminDeps } from '../admin/http.js';
import type { Kernel } from '../kernel/foreign.js';
import type { Log } from '../observe/log.js';
import type { Router } from './api/router.js';
import { ControlSocket } from './control_socket.js';
import type { FileInUse } from './file_in_use.js';
import { Site } from './site.js';

export interface PlacesDeps extends Omit<AdminDeps, 'hosts' | 'connections'> {
  /** Of both together. */
  readonly connections: number;
  readonly inUse: FileInUse;
  readonly log: Log;
  readonly kernel: Kernel | null;
  readonly router: Router;
}

export class Places {
  readonly #inUse: FileInUse;
  readonly #site: Site;
  readonly #socket: ControlSocket;

  constructor(deps: PlacesDeps) {
    const { inUse, log } = deps;
    // They divide the descriptors that there are for both.
    const connections = Math.ceil(deps.connections / 2);
    const parts = { ...deps, connections };
    this.#inUse = inUse;
    this.#site = new Site({ ...parts, hosts: () => inUse.spec.admin.hosts }, log);
    this.#socket = new ControlSocket({ ...parts, admin: () => inUse.spec.admin });
  }

  /** What is open stays where it is, but what could not be opened is tried again. */
  async open(): Promise<void> {
    const { admin } = this.#inUse.spec;
    if (!this.#site.isOpen) {
      await this.#site.open(admin.http);
      this.#inUse.beganWith('http');
    }
    if (!this.#socket.isOpen) {
      await this.#socket.open();
      this.#inUse.beganWith('socket');
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#site.close(), this.#socket.close()]);
  }
}
