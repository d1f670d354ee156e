/**
 * Servers as proxies check them: each says its name when asked (question.ts), behind the PROXY
 * header that came first, and talks as much of its protocol as checks need.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import type { Test } from 'tap';
import type { CertificateFiles } from '../certificate.js';
import { closeServer, trackSockets } from '../servers/tracked.js';
import { WHO } from './question.js';

/** What a server says at once, and what it answers to what it was sent so far. */
export interface Manner {
  readonly greeting?: string;
  /** What to write for the bytes at the head of `text`, and how many these are; null: wait. */
  readonly answer?: (text: string) => { readonly used: number; readonly say: string } | null;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

export function placeOf(address: string): Place {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** It can leave and come back at its address. */
export interface Scripted {
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface NamedOptions {
  readonly manner?: () => Manner;
  readonly certificate?: CertificateFiles;
}

/** A server of streams. */
export class Named implements Scripted {
  /** How many sessions that asked for its name it has, and had at most. */
  active = 0;
  most = 0;
  readonly #name: string;
  readonly #where: Place | string;
  readonly #options: NamedOptions;
  #running: { readonly server: NetServer; readonly sockets: Set<Socket> } | null = null;

  private constructor(name: string, where: Place | string, options: NamedOptions) {
    this.#name = name;
    this.#where = where;
    this.#options = options;
  }

  /** `address` is `host:port`, or the path of a UNIX socket. */
  static async start(
    t: Test,
    name: string,
    address: string,
    options: NamedOptions = {},
  ): Promise<Named> {
    const where = address.startsWith('/') ? address : placeOf(address);
    const named = new Named(name, where, options);
    await named.start();
    t.teardown(() => named.stop());
    return named;
  }

  async start(): Promise<void> {
    const { certificate } = this.#options;
    const serve = (socket: Socket): void => this.#serve(socket);
    const server =
      certificate === undefined
        ? createServer({ allowHalfOpen: false }, serve)
        : createTls({ key: certificate.key, cert: certificate.cert }, serve);
    server.on('tlsClientError', () => {});
    const sockets = trackSockets(server);
    const options = typeof this.#where === 'string' ? { path: this.#where } : this.#where;
    server.listen(options);
    await once(server, 'listening');
    this.#running = { server, sockets };
  }

  /** Its sessions end, and nothing listens there. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (running !== null) await closeServer(running.server, running.sockets);
  }

  #serve(socket: Socket): void {
    const { greeting = '', answer = () => null } = this.#options.manner?.() ?? {};
    let text = '';
    socket.on('error', () => {});
    if (greeting !== '') socket.write(Buffer.from(greeting, 'latin1'));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith(WHO)) return this.#tell(socket, headerOf(text));
      for (let said = answer(text); said !== null; said = answer(text)) {
        text = text.slice(said.used);
        if (said.say !== '') socket.write(Buffer.from(said.say, 'latin1'));
      }
    });
  }

  #tell(socket: Socket, header: string): void {
    this.active++;
    this.most = Math.max(this.most, this.active);
    let isHere = true;
    const leave = (): void => {
      if (isHere) this.active--;
      isHere = false;
    };
    // The end is read before anything of a session that comes in its place.
    socket.on('end', leave).on('close', leave);
    socket.write(`I am ${this.#name}${header}\n`);
  }
}

/** Several servers of one kind, by name. */
export async function named<K extends string>(
  t: Test,
  addresses: Readonly<Record<K, string>>,
  options: NamedOptions = {},
): Promise<Readonly<Record<K, Named>>> {
  const entries = Object.entries<string>(addresses).map(
    async ([name, address]) => [name, await Named.start(t, name, address, options)] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as Record<K, Named>;
}

/** `/v1` or `/v2` for a PROXY header of that version, with the client's address behind it. */
function headerOf(text: string): string {
  const one = /^PROXY TCP[46] (\S+) /.exec(text);
  if (one !== null) return `/v1:${one[1]}`;
  if (!text.startsWith('\r\n\r\n\0\r\nQUIT\n')) return '';
  const bytes = Buffer.from(text, 'latin1');
  return `/v2:${[...bytes.subarray(16, 20)].join('.')}`;
}

/** A server of datagrams. */
export class NamedDatagrams implements Scripted {
  readonly #name: string;
  readonly #place: Place;
  #socket: UdpSocket | null = null;

  private constructor(name: string, place: Place) {
    this.#name = name;
    this.#place = place;
  }

  static async start(t: Test, name: string, address: string): Promise<NamedDatagrams> {
    const named = new NamedDatagrams(name, placeOf(address));
    await named.start();
    t.teardown(() => named.stop());
    return named;
  }

  async start(): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', (bytes, { port, address }) => {
      const text = bytes.toString('latin1');
      if (text.endsWith(WHO)) socket.send(`I am ${this.#name}${headerOf(text)}\n`, port, address);
    });
    socket.bind(this.#place.port, this.#place.host);
    await once(socket, 'listening');
    this.#socket = socket;
  }

  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.close();
    await once(socket, 'close');
  }
}

export interface ChecksOptions {
  /** It talks TLS. */
  readonly certificate?: CertificateFiles;
  /** What it answers to a request for `/who`. */
  readonly name?: string;
}

/** An HTTP server that is asked how its neighbour does, as of Patroni, or the Kubernetes API. */
export class Checks {
  /** Paths that are answered 200; all others 503. */
  good: ReadonlySet<string>;
  readonly asked = new Set<string>();

  private constructor(good: readonly string[]) {
    this.good = new Set(good);
  }

  static async start(
    t: Test,
    address: string,
    good: readonly string[],
    { certificate, name = '' }: ChecksOptions = {},
  ): Promise<Checks> {
    const checks = new Checks(good);
    const server =
      certificate === undefined
        ? createHttp()
        : createHttps({ key: certificate.key, cert: certificate.cert });
    server.on('request', (request, response) => {
      if (request.url === '/who') return response.end(`I am ${name}\n`);
      checks.asked.add(`${request.method} ${request.url}`);
      return response.writeHead(checks.good.has(request.url ?? '') ? 200 : 503).end('{}');
    });
    server.on('tlsClientError', () => {});
    const sockets = trackSockets(server);
    server.listen(placeOf(address));
    await once(server, 'listening');
    t.teardown(() => closeServer(server, sockets));
    return checks;
  }

  set(...good: readonly string[]): void {
    this.good = new Set(good);
  }
}
