/**
 * Where a test's servers live: folders that vanish with the test, and ports that no other process
 * uses.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UdpPeer } from './udp_peer.js';

/** Whatever lasts for a while and then ends what was started for it: a test, a benchmark. */
export interface Scope {
  teardown(end: () => unknown): unknown;
}

/** A new folder that other users may enter (some servers run as their own user). */
export function tempFolder(t: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  chmodSync(folder, 0o755);
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/**
 * Servers that cannot bind port 0, and places where nothing may answer, have ports below the
 * kernel's range for outgoing connections (32768 and up), so that no connection has one in between.
 * They come in blocks: a process listens on the first port of each that it has, for as long as it
 * lives, and no other process can, whatever runs beside it. One that asks for more has its own
 * again.
 */
const FIRST_PORT = 12_000;
const BLOCKS = 200;
const BLOCK_PORTS = 100;
const MAX_BLOCKS = 20;
const ANY_HOST = '0.0.0.0';

/** The first ports of the blocks that this process has, and the ports that are next. */
const blocks: number[] = [];
const next: number[] = [];
/** Where to look for the next block; processes that begin together begin at different ones. */
let nextBlock = process.pid % BLOCKS;
// The first block is there from the beginning: tests count the sockets of their own process.
next.push(...(await furtherPorts()));
let asked: Promise<unknown> = Promise.resolve();

/** A port on which nothing listens, for TCP and UDP; no other test has it, in any process. */
export function freePort(): Promise<number> {
  const port = asked.then(takeFree);
  asked = port.catch(() => {});
  return port;
}

async function takeFree(): Promise<number> {
  for (;;) {
    const port = next.shift();
    // What is no test, or was left behind by one, knows no blocks.
    if (port !== undefined && (await isFree(port))) return port;
    if (next.length === 0) next.push(...(await furtherPorts()));
  }
}

async function furtherPorts(): Promise<readonly number[]> {
  for (let tries = 0; tries < BLOCKS && blocks.length < MAX_BLOCKS; tries++) {
    const first = FIRST_PORT + (nextBlock++ % BLOCKS) * BLOCK_PORTS;
    const server = await listen(first);
    if (server === null) continue;
    // It does not keep the process alive, and goes with it.
    server.unref();
    blocks.push(first);
    return portsOf(first);
  }
  if (blocks.length === 0) throw new Error('other processes have all ports of tests');
  return blocks.flatMap(portsOf);
}

function portsOf(first: number): readonly number[] {
  return Array.from({ length: BLOCK_PORTS - 1 }, (_, at) => first + 1 + at);
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === null) return false;
  await new Promise((resolve) => server.close(resolve));
  const socket = await UdpPeer.open(ANY_HOST, port).catch(() => null);
  await socket?.close();
  return socket !== null;
}

/** null when the port is taken. */
function listen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen({ host: ANY_HOST, port }, () => resolve(server));
  });
}
