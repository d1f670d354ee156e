/**
 * A listening socket that is about to close takes no more clients, and loses none that it has: the
 * kernel drops each SYN that comes for it (socket(7), SO_ATTACH_FILTER), and a client that sent one
 * tries again a second later, where another socket may listen by then. Handshakes that have begun
 * end as ever, and clients that wait to be accepted go on waiting.
 */
import type { Descriptor } from './descriptor.js';
import type { Kernel } from './foreign.js';
import { mapMemory } from './memory.js';
import { SOL_SOCKET } from './sockets.js';

/** <asm-generic/socket.h> */
const SO_ATTACH_FILTER = 26;
/** <linux/filter.h>: an instruction is (code, jump if true, jump if false, operand). */
const INSTRUCTION_BYTES = 8;
const LOAD_BYTE = 0x30;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;
/** Of a TCP header, where a filter of a listening socket begins to read. */
const FLAGS_AT = 13;
const SYN = 0x02;
const DROP = 0;
const PASS = 0xffff_ffff;
const PROGRAM = [
  [LOAD_BYTE, 0, 0, FLAGS_AT],
  [JUMP_IF_ANY_BIT, 0, 1, SYN],
  [RETURN, 0, 0, DROP],
  [RETURN, 0, 0, PASS],
] as const;
/** struct sock_fprog stands behind the program. */
const HEAD_AT = PROGRAM.length * INSTRUCTION_BYTES;
const HEAD_BYTES = 16;

export class SynFilter {
  readonly #kernel: Kernel;
  /** Of its struct sock_fprog; null: there is no memory for it, and nothing is filtered. */
  readonly #head: number | null;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const memory = mapMemory(kernel, HEAD_AT + HEAD_BYTES);
    if (!memory.ok) {
      this.#head = null;
      return;
    }
    const { address, buffer } = memory.value;
    const view = new DataView(buffer);
    for (const [index, [code, ifTrue, ifFalse, operand]] of PROGRAM.entries()) {
      const at = index * INSTRUCTION_BYTES;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, ifTrue);
      view.setUint8(at + 3, ifFalse);
      view.setUint32(at + 4, operand, true);
    }
    view.setUint16(HEAD_AT, PROGRAM.length, true);
    view.setBigUint64(HEAD_AT + 8, BigInt(address), true);
    this.#head = address + HEAD_AT;
  }

  /** From now on `fd` begins no handshake. Where the kernel refuses it all stays as it is. */
  attach(fd: Descriptor): void {
    if (this.#head === null) return;
    this.#kernel.libc.setsockoptAt(fd, SOL_SOCKET, SO_ATTACH_FILTER, this.#head, HEAD_BYTES);
  }
}
