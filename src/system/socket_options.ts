/**
 * What Node.js 20 does to the options of a socket. It copies them for each socket, and adds to the
 * copy; V8 11 gives each such copy a hidden class of its own, and then none of the thirty options
 * that are looked up in it is where it was before: eight of the nine microseconds that it takes to
 * make a socket. Where objects of more than four kinds have been copied V8 copies in another way,
 * and all copies are of one class. So some of other kinds are made at the start.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

const KINDS: readonly SocketConstructorOpts[] = [
  { readable: true },
  { writable: true },
  { allowHalfOpen: true },
  { readable: true, writable: true },
  { allowHalfOpen: true, readable: true },
  { allowHalfOpen: true, writable: true },
];
/** V8 takes no note of what a function does before it has been called some times. */
const ROUNDS = 16;

/** To be called once in a thread that will make many sockets; takes about a millisecond. */
export function meetSocketOptions(): void {
  for (let round = 0; round < ROUNDS; round++) for (const kind of KINDS) new Socket(kind);
}
