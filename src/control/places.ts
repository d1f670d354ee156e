/** Where a daemon is asked and operated: the admin page and the control socket. */
import type { AdminDeps, ControlApi } from '../admin/http.js';
import type { Kernel } from '../kernel/foreign.js';
import type { Log } from '../observe/log.js';
import { meetSocketOptions } from '../system/socket_options.js';
import { socketDescriptors } from './admin_sockets.js';
import { problemAnswer, refusalOf } from './api/problem.js';
import { PREFIX, type Router } from './api/router.js';
import { ControlSocket, MAX_BODY_BYTES } from './control_socket.js';
import type { FileInUse } from './file_in_use.js';
import { createHttpGate } from './http_gate.js';
import type { HandedSocket } from './kept_sockets.js';
import { Site } from './site.js';

export interface PlacesDeps
  extends Omit<AdminDeps, 'hosts' | 'connections' | 'control' | 'sockets'> {
  /** Of both together. */
  readonly connections: number;
  readonly inUse: FileInUse;
  readonly log: Log;
  readonly kernel: Kernel | null;
  readonly router: Router;
  /** A listening socket by its name that the process before this one has handed over. */
  readonly taken: (name: string) => number | null;
}

export class Places {
  readonly #inUse: FileInUse;
  readonly #site: Site;
  readonly #socket: ControlSocket;
  readonly #taken: PlacesDeps['taken'];

  constructor(deps: PlacesDeps) {
    const { inUse, log } = deps;
    meetSocketOptions();
    this.#taken = deps.taken;
    // They divide the descriptors that there are for both.
    const connections = Math.ceil(deps.connections / 2);
    const parts = { ...deps, connections };
    const sockets = socketDescriptors(deps.kernel);
    this.#inUse = inUse;
    const gate = createHttpGate(() => inUse.spec.admin, deps.timers);
    const control: ControlApi = {
      maxBodyBytes: MAX_BODY_BYTES,
      prefix: `${PREFIX}/`,
      answer: async (request) => {
        const caller = await gate(request);
        return caller.ok ? deps.router(request, () => caller.value) : problemAnswer(caller.error);
      },
      refuse: refusalOf,
      refusal: async (request) => {
        const caller = await gate(request);
        return caller.ok ? null : problemAnswer(caller.error);
      },
    };
    this.#site = new Site({ ...parts, sockets, control, hosts: () => inUse.spec.admin.hosts }, log);
    this.#socket = new ControlSocket({ ...parts, admin: () => inUse.spec.admin });
  }

  /** What is open stays where it is, but what could not be opened is tried again. */
  async open(): Promise<void> {
    const { admin } = this.#inUse.spec;
    if (!this.#site.isOpen) {
      await this.#site.open(admin.http, this.#taken);
      this.#inUse.beganWith('http');
    }
    if (!this.#socket.isOpen) {
      await this.#socket.open(this.#taken);
      this.#inUse.beganWith('socket');
    }
  }

  /** Their sockets, for another process. */
  get sockets(): readonly HandedSocket[] {
    return [this.#site.socket, this.#socket.socket].filter((one) => one !== null);
  }

  /**
   * Another process has their sockets now, but for those that are not asked for; a client that
   * waits for an answer here gets it.
   */
  leave(unasked: readonly string[]): void {
    this.#site.leave();
    this.#socket.leave(unasked);
  }

  async close(): Promise<void> {
    await Promise.all([this.#site.close(), this.#socket.close()]);
  }
}
