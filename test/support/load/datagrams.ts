/** UDP at both ends: backends that echo what they get, and clients that check what comes back. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';
import { nowMs, pass } from '../deadline.js';
import { Feed } from '../feed.js';
import { freePort } from '../places.js';

export interface Datagram {
  readonly payload: Buffer;
  readonly from: RemoteInfo;
}

const BUFFER_BYTES = 4 * 1024 * 1024;

/** An echoing backend that can die (its port then answers by ICMP unreachable) and come back. */
export class UdpEcho {
  readonly port: number;
  received = 0;
  /** The addresses and ports that sent something: one a flow. */
  readonly peers = new Set<string>();
  /** What arrived, for tests that look at it; filled while `record` is true. */
  readonly datagrams: Datagram[] = [];
  record = false;
  /** Put in front of every echo, so that a client can see which backend answered. */
  readonly tag: string;
  #socket: Socket | null = null;

  constructor(port: number, tag: string) {
    this.port = port;
    this.tag = tag;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
    socket.on('message', (payload, from) => {
      this.received++;
      this.peers.add(`${from.address}:${from.port}`);
      if (this.record) this.datagrams.push({ payload, from });
      const answer = this.tag === '' ? payload : Buffer.concat([Buffer.from(this.tag), payload]);
      socket.send(answer, from.port, from.address, () => {});
    });
    socket.on('error', () => {});
    socket.bind(this.port, '127.0.0.1');
    await once(socket, 'listening');
    this.#socket = socket;
  }

  async kill(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }
}

/** `count` echoing backends; with `tagged` they answer with `1`, `2` … in front. */
export async function startUdpEchoes(
  t: Test,
  count: number,
  kind: 'plain' | 'tagged' = 'plain',
): Promise<readonly UdpEcho[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const echo = new UdpEcho(await freePort(), kind === 'tagged' ? String(index + 1) : '');
      t.teardown(() => echo.kill());
      await echo.start();
      return echo;
    }),
  );
}

export interface UdpTarget {
  readonly port: number;
  readonly host?: string;
  /** The client's own address. */
  readonly localAddress?: string;
}

/**
 * A client with one socket: one flow. It is not connected, so that it sees which address really
 * answers.
 */
export class UdpClient {
  readonly answers = new Feed<Datagram>();
  readonly #socket: Socket;
  readonly #target: UdpTarget;
  #closed = false;

  private constructor(socket: Socket, target: UdpTarget) {
    this.#socket = socket;
    this.#target = target;
    socket.on('message', (payload, from) => this.answers.push({ payload, from }));
    socket.on('error', () => {});
  }

  static async open(target: UdpTarget): Promise<UdpClient> {
    const six = target.host?.includes(':') === true;
    const socket = createSocket({ type: six ? 'udp6' : 'udp4', recvBufferSize: BUFFER_BYTES });
    socket.bind(0, target.localAddress ?? (six ? '::1' : '127.0.0.1'));
    await once(socket, 'listening');
    return new UdpClient(socket, target);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(payload: string | Uint8Array): void {
    const { port, host = '127.0.0.1' } = this.#target;
    this.#socket.send(payload, port, host, () => {});
  }

  /** Sends and gives the next answer, whatever it is. */
  ask(payload: string | Uint8Array, limitMs = 5_000): Promise<Datagram> {
    const answer = this.answers.next('an answer by UDP', () => true, limitMs);
    this.send(payload);
    return answer;
  }

  /** Sends and gives the next answer as text, or null when none comes in time. */
  async askOrNull(payload: string | Uint8Array, limitMs: number): Promise<string | null> {
    try {
      return (await this.ask(payload, limitMs)).payload.toString('latin1');
    } catch {
      return null;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}

/** Opens a client that is closed with the test. */
export async function udpClient(t: Test, target: UdpTarget): Promise<UdpClient> {
  const client = await UdpClient.open(target);
  t.teardown(() => client.close());
  return client;
}

export async function udpClients(
  t: Test,
  target: UdpTarget,
  count: number,
): Promise<readonly UdpClient[]> {
  return Promise.all(Array.from({ length: count }, () => udpClient(t, target)));
}

/** What one flow has sent and got back. */
export class DatagramLedger {
  readonly wrong: string[] = [];
  readonly #client: UdpClient;
  readonly #tag: string;
  #sent = 0;
  readonly #missing = new Set<number>();

  private constructor(client: UdpClient, tag: string) {
    this.#client = client;
    this.#tag = tag;
    client.answers.each(({ payload }) => {
      const answer = payload.toString();
      const [who, number] = [answer.slice(0, 1), Number(answer.slice(1))];
      if (who !== tag) this.wrong.push(`answered by ${who} instead of ${tag}`);
      if (!this.#missing.delete(number)) this.wrong.push(`unexpected answer ${answer}`);
    });
  }

  static async open(client: UdpClient): Promise<DatagramLedger> {
    const { payload } = await client.ask('-1');
    return new DatagramLedger(client, payload.toString().slice(0, 1));
  }

  send(): void {
    this.#missing.add(this.#sent);
    this.#client.send(String(this.#sent++));
  }

  /** Waits for what is still on its way, then returns what is lost. */
  async settled(): Promise<void> {
    const untilMs = nowMs() + 2_000;
    while (this.#missing.size > 0 && nowMs() < untilMs) await pass(20);
    if (this.#missing.size > 0) this.wrong.push(`${this.#tag}: ${this.#missing.size} lost`);
  }
}
