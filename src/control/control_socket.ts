/**
 * The control socket of a daemon: the API of `sluice ctl` at a path. Traffic is served whether or
 * not it can be opened.
 */
import { chmodSync, chownSync, linkSync, unlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { ListenPlace } from '../admin/door.js';
import { contentOf } from '../admin/outgoing.js';
import { type HttpServer, serveHttp } from '../admin/server.js';
import { folderTrouble } from '../config/socket_path.js';
import { present } from '../core/assert.js';
import type { Clock, Timers } from '../core/clock.js';
import { err, ok, type Result } from '../core/result.js';
import type { AdminSpec } from '../core/spec.js';
import { descriptorOf } from '../engine/node/socket.js';
import { groupNumber, userName } from '../files/accounts.js';
import { errnoWords } from '../kernel/errno.js';
import type { Kernel } from '../kernel/foreign.js';
import { peerUser } from '../kernel/peer_credentials.js';
import type { Log } from '../observe/log.js';
import { socketDescriptors } from './admin_sockets.js';
import { type Caller, callerOf } from './api/caller.js';
import { refusalOf } from './api/problem.js';
import type { Router } from './api/router.js';
import { socketPlace } from './control_path.js';
import type { HandedSocket } from './kept_sockets.js';
import { clearPath, isGone, type PathOwner, removePath, whoBound } from './unix_path.js';

/** A command names some hundreds of backends. */
export const MAX_BODY_BYTES = 65_536;
/** Its own user and group; others not at all. */
const MODE = 0o660;

export interface ControlSocketDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly kernel: Kernel | null;
  readonly router: Router;
  readonly admin: () => AdminSpec;
  readonly connections: number;
  /** Gets what failed in answering one request. */
  readonly defect: (error: unknown) => void;
  /** Called for a reader that was cut off because so much waited for it. */
  readonly slow: (unreadBytes: number) => void;
}

interface Open {
  readonly path: string;
  readonly server: HttpServer;
  readonly owner: PathOwner | null;
}

export class ControlSocket {
  readonly #deps: ControlSocketDeps;
  #open: Open | null = null;
  /** Why it is off, as reported: each reload tries again. */
  #toldOff: string | null = null;

  constructor(deps: ControlSocketDeps) {
    this.#deps = deps;
  }

  get isOpen(): boolean {
    return this.#open !== null && !isLost(this.#open);
  }

  /**
   * Opens it where the file wants it, if it is not open yet or is not at its path any more; `taken`
   * may have a socket that listens there.
   */
  async open(taken: (name: string) => number | null): Promise<void> {
    if (this.isOpen) return;
    const { log, kernel, admin } = this.#deps;
    const place = socketPlace(admin(), process.env);
    if (place.kind === 'off') return;
    if (place.kind === 'nowhere') {
      if (place.why !== this.#toldOff) log.event('control-off', { detail: place.why });
      this.#toldOff = place.why;
      return;
    }
    const address = `unix:${place.path}`;
    const known = this.#open === null ? taken(nameOf(place.path)) : null;
    const opened = await this.#listen(place.path, known);
    if (!opened.ok) return log.event('control-failed', { address, detail: opened.error });
    // Those that are connected, followers of events among them, go on.
    this.#open?.server.leave();
    this.#open = opened.value;
    log.event('control-listening', { address });
    if (kernel === null) {
      const { why } = callerOf(null, this.#gate());
      log.event('control-degraded', { address, detail: why });
    }
  }

  /** Its socket, for another process; null: it is not open. */
  get socket(): HandedSocket | null {
    if (this.#open === null) return null;
    const { path, server } = this.#open;
    return server.fd === null ? null : { fd: server.fd, name: nameOf(path) };
  }

  /** Another process has its socket now, and its path, unless it has not asked for it. */
  leave(unasked: readonly string[]): void {
    if (this.#open === null) return;
    this.#open.server.leave();
    if (unasked.includes(nameOf(this.#open.path))) return;
    this.#open = { ...this.#open, owner: null };
  }

  async close(): Promise<void> {
    if (this.#open === null) return;
    const { server, owner } = this.#open;
    this.#open = null;
    await server.close();
    if (owner !== null) removePath(owner);
  }

  /**
   * Binds beside the path, and gives the socket its name there when its mode and group are right:
   * it cannot be found before, and nothing that is there meanwhile is replaced.
   */
  async #listen(path: string, taken: number | null): Promise<Result<Open, string>> {
    const opened = (server: HttpServer): Open => ({
      path,
      server,
      owner: whoBound({ kind: 'unix', path }),
    });
    if (taken !== null) {
      const served = await this.#serve({ fd: taken });
      return served.ok ? ok(opened(served.value)) : err(served.error.detail);
    }
    const folder = dirname(path);
    const trouble = folderTrouble(folder);
    if (trouble !== null) {
      return err(`the folder ${folder} ${trouble}; RuntimeDirectory in the unit makes one`);
    }
    const beside = join(folder, `.${process.pid.toString(36)}`);
    // In a container the process before it, killed in between, had the same number.
    for (const each of [path, beside]) {
      const free = await clearPath({ kind: 'unix', path: each });
      if (!free.ok) return free;
    }
    const served = await this.#serve({ path: beside });
    if (!served.ok) return err(whyNot(folder, served.error.errno));
    const named = this.#name(beside, path);
    if (named.ok) return ok(opened(served.value));
    await served.value.close();
    return named;
  }

  #serve(place: ListenPlace) {
    return serveHttp(place, {
      ...this.#deps,
      sockets: socketDescriptors(this.#deps.kernel),
      ends: 'at-once',
      maxBodyBytes: MAX_BODY_BYTES,
      refuse: refusalOf,
      answer: (request, socket) => {
        const made = this.#deps.router(request, () => this.#caller(socket));
        return made instanceof Promise ? made.then(contentOf) : contentOf(made);
      },
    });
  }

  #name(beside: string, path: string): Result<null, string> {
    try {
      chmodSync(beside, MODE);
      this.#giveToGroup(beside, path);
      linkSync(beside, path);
      unlinkSync(beside);
      return ok(null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return err(whyNot(dirname(path), code));
    }
  }

  /** A group that cannot be set leaves the socket to the daemon's own. */
  #giveToGroup(beside: string, path: string): void {
    const { socketGroup } = this.#deps.admin();
    if (socketGroup === '') return;
    const group = groupNumber(socketGroup);
    try {
      if (group === null) throw new Error(`this machine has no group ${socketGroup}`);
      chownSync(beside, present(process.getuid?.(), 'UNIX has user ids'), group);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const detail =
        code === undefined
          ? message
          : `it cannot be given to the group ${socketGroup}: ${errnoWords(code)}`;
      const address = `unix:${path}`;
      this.#deps.log.event('control-degraded', { address, detail });
    }
  }

  #caller(socket: Socket): Caller {
    const { kernel } = this.#deps;
    const fd = descriptorOf(socket);
    return callerOf(kernel === null || fd === null ? null : peerUser(kernel, fd), this.#gate());
  }

  #gate() {
    return {
      ownUser: process.getuid?.() ?? 0,
      socketUsers: this.#deps.admin().socketUsers,
      nameOf: userName,
    };
  }
}

/** Cleaners of temporary folders remove it, and another process may have bound the path since. */
function isLost({ owner }: Open): boolean {
  return owner !== null && isGone(owner);
}

/** Node.js names the path beside it, and EACCES where the folder is not there. */
function whyNot(folder: string, errno: string): string {
  const words = errnoWords(errno);
  return errno === 'EACCES' || errno === 'EPERM'
    ? `the user of the daemon cannot make a socket in the folder ${folder}: ${words}`
    : `no socket can be made in the folder ${folder}: ${words}`;
}

/** Between two processes. */
function nameOf(path: string): string {
  return `control/${path}`;
}
