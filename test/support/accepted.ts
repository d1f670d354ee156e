/** Whether a connection has left the kernel's backlog: only then does the daemon know it. */
import { readFileSync } from 'node:fs';
import { eventually } from './deadline.js';

/** Waits until the connection from port `client` to port `listener` of this machine is accepted. */
export async function accepted(client: number, listener: number): Promise<void> {
  await eventually(`the accept of ${client}`, () =>
    sockets().some(
      ({ local, remote, inode }) => local === listener && remote === client && inode !== '0',
    )
      ? true
      : undefined,
  );
}

/** The socket that listens at `port`, as its inode; undefined: none does. */
export function listenerAt(port: number): string | undefined {
  return sockets().find(({ local, state }) => local === port && state === LISTEN)?.inode;
}

/** <net/tcp_states.h> */
const LISTEN = '0A';

interface SocketRow {
  readonly local: number;
  readonly remote: number;
  readonly state: string;
  /** `0`: it belongs to no process yet. */
  readonly inode: string;
}

/** proc(5), /proc/net/tcp: columns 1 and 2 are `ADDRESS:PORT` in hex, 3 the state, 9 the inode. */
function sockets(): readonly SocketRow[] {
  return ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/net/${family}`, 'latin1')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .map(([, local = '', remote = '', state = '', , , , , , inode = '0']) => ({
        local: portOf(local),
        remote: portOf(remote),
        state,
        inode,
      })),
  );
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}
