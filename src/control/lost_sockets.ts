/** UNIX listeners whose socket file is not there any more, and what is opened in their place. */
import { formatAddress } from '../core/endpoint.js';
import type { KeyedSocket } from './socket_table.js';
import { isGone } from './unix_path.js';

/** Whether an address counts whose socket file is not there any more. */
export type LostFiles = 'open again' | 'leave';

/** Its socket file was removed, and perhaps another one is there: no client finds it. */
export function isLost({ wanted, opened }: KeyedSocket): boolean {
  if (wanted.kind !== 'unix' || opened.activation !== null) return false;
  return opened.owner === null || isGone(opened.owner);
}

/** Without those in whose place another one was opened. */
export function newest(sockets: readonly KeyedSocket[]): readonly KeyedSocket[] {
  return [...new Map(sockets.map((socket) => [formatAddress(socket.wanted), socket])).values()];
}

/** Without those that no worker has, where one that workers have is at the same address. */
export function notInVain(sockets: readonly KeyedSocket[]): KeyedSocket[] {
  const served = sockets.filter(({ use }) => use === 'served');
  return sockets.filter(
    (socket) => socket.use === 'served' || atSamePlace(served, socket) === null,
  );
}

/** One of `sockets` that is at the address of `socket`, and is not the same. */
export function atSamePlace(
  sockets: readonly KeyedSocket[],
  socket: KeyedSocket,
): KeyedSocket | null {
  const address = formatAddress(socket.wanted);
  const found = sockets.find(
    (one) => one.opened !== socket.opened && formatAddress(one.wanted) === address,
  );
  return found ?? null;
}
