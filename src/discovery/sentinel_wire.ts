/** A conversation with one sentinel, and a subscription that rings when it has news. */
import { connect, type Socket } from 'node:net';
import type { Address } from '../core/endpoint.js';
import { redisCommand } from '../core/redis_command.js';
import { gatedLookup } from './lookup_gate.js';
import { parseReply, type RespReply } from './resp.js';

/** What of events says that members or roles may be others now (Redis' documentation, Sentinel). */
const NEWS = ['+switch-master', '+slave', '+sdown', '-sdown', '+convert-to-slave', '+reboot'];

/** Some thousand replicas; what has come is read anew with each piece of it. */
const MAX_SAID_BYTES = 524_288;

export type SentinelReplies =
  | readonly RespReply[]
  | 'unreachable'
  | 'timeout'
  | 'malformed'
  | 'too-much';

/** Sends all `commands`, and reads a reply to each. */
export function talk(
  address: Address,
  commands: readonly string[],
  signal: AbortSignal,
): Promise<SentinelReplies> {
  return new Promise((resolve) => {
    const socket = open(address);
    const replies: RespReply[] = [];
    let bytes = Buffer.alloc(0);
    const end = (outcome: SentinelReplies): void => {
      signal.removeEventListener('abort', late);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      resolve(outcome);
    };
    const late = (): void => end('timeout');
    socket.once('error', () => end('unreachable'));
    socket.once('close', () => end('malformed'));
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length > MAX_SAID_BYTES) return end('too-much');
      for (;;) {
        const parsed = parseReply(bytes, 0);
        if (parsed.kind === 'garbage') return end('malformed');
        if (parsed.kind === 'part') return;
        replies.push(parsed.reply);
        bytes = bytes.subarray(parsed.next);
        if (replies.length === commands.length) return end(replies);
      }
    });
    if (signal.aborted) return late();
    signal.addEventListener('abort', late, { once: true });
    socket.write(commands.join(''));
  });
}

/**
 * Rings at whatever a sentinel says of members. It is only a bell, which may be lost: the source is
 * asked every now and then without it.
 */
export class NewsBell {
  readonly #address: Address;
  readonly #ring: () => void;
  #socket: Socket | null = null;

  constructor(address: Address, ring: () => void) {
    this.#address = address;
    this.#ring = ring;
  }

  /** Subscribes, unless it has. */
  keep(login: readonly string[]): void {
    if (this.#socket !== null) return;
    const socket = open(this.#address).unref();
    this.#socket = socket;
    const lost = (): void => {
      if (this.#socket === socket) this.#socket = null;
    };
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('error', () => {});
    socket.once('close', lost);
    socket.on('data', () => this.#ring());
    socket.write([...login, redisCommand('SUBSCRIBE', ...NEWS)].join(''));
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }
}

const KEEPALIVE_MS = 10_000;

function open(address: Address): Socket {
  if (address.kind === 'unix') return connect({ path: address.path });
  return connect({ host: address.host, port: address.port, lookup: gatedLookup });
}
