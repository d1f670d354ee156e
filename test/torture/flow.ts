/** UDP at both ends of a program: backends that echo, and clients that know what may come back. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { pass } from '../support/deadline.js';
import type { UdpTarget } from '../support/load/datagrams.js';
import type { FlowPlan } from './program.js';
import { bytesOf } from './stream.js';

/** How long a datagram's answer is waited for after the last one was sent. */
const ANSWER_MS = 300;

/** A client of one flow. Every answer is a datagram that it sent, from where it was sent to. */
export class Flow {
  readonly plan: FlowPlan;
  answered = 0;
  wrong: string | null = null;
  readonly #socket: Socket;
  readonly #open = new Map<string, number>();

  constructor(plan: FlowPlan, family: 4 | 6) {
    this.plan = plan;
    this.#socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    this.#socket.on('error', () => {});
  }

  async run({ port, host = '127.0.0.1' }: UdpTarget): Promise<void> {
    // Not the wildcard: what others send to addresses of their own is none of its business.
    this.#socket.bind(0, host);
    await once(this.#socket, 'listening');
    this.#socket.on('message', (payload, from) => {
      const key = payload.toString('base64');
      const left = this.#open.get(key);
      if (left === undefined || left === 0) {
        const first = payload.subarray(0, 32).toString('hex');
        const source = `${from.address}:${from.port}`;
        this.wrong ??= `what it never sent, from ${source}: ${payload.length} bytes ${first}`;
      } else this.#open.set(key, left - 1);
      if (from.address !== host || from.port !== port) {
        this.wrong ??= `an answer from ${from.address}:${from.port}`;
      }
      this.answered++;
    });
    const { id, datagrams, bytes, gapMs } = this.plan;
    for (let index = 0; index < datagrams; index++) {
      const payload = bytesOf('client', id, index * 16, bytes + index);
      const key = payload.toString('base64');
      // A datagram may be answered twice when ICMP made the daemon send it again.
      this.#open.set(key, (this.#open.get(key) ?? 0) + 2);
      this.#socket.send(payload, port, host, () => {});
      await pass(gapMs);
    }
    await pass(ANSWER_MS);
  }

  dispose(): void {
    this.#socket.close();
  }
}
