/** What both kinds of wires (src/core/wire.ts) promise about their ends. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import type { Wire, WireDial } from '../../src/core/wire.js';
import { dialBySocket } from '../../src/health/probes/socket_wire.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { eventually } from '../support/deadline.js';
import { tempFolder } from '../support/places.js';
import { silentEndpoint } from '../support/silent_endpoint.js';
import { DESCRIPTORS } from './probe_cases.js';

/** More than both sides' kernels hold. */
const UNREAD_BYTES = 32 * 1_048_576;

/** Nothing else has a say in it, so it is a matter of turns. */
const SOON_MS = 3_000;

const DIALS: Readonly<Record<string, WireDial>> = {
  'a socket': dialBySocket,
  ...(DESCRIPTORS === null ? {} : { 'a descriptor': DESCRIPTORS }),
};
const WAYS: Readonly<Record<string, (wire: Wire) => void>> = {
  reset: (wire) => wire.reset(),
  destroyed: (wire) => wire.destroy(),
};

interface Server {
  readonly endpoint: Endpoint;
  close(): void;
}

/** Accepts, and never reads. */
async function deaf(path: string | null): Promise<Server> {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket.on('error', () => {}));
  });
  await once(path === null ? server.listen(0, '127.0.0.1') : server.listen(path), 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  if (path !== null) return { endpoint: { kind: 'unix', path }, close };
  return { endpoint: ipEndpoint(4, '127.0.0.1', (server.address() as AddressInfo).port), close };
}

type Moment = (dial: WireDial, endpoint: Endpoint) => Promise<Wire>;

const connecting: Moment = async (dial, endpoint) => dial(endpoint, 'something', () => {});
const standing: Moment = async (dial, endpoint) => {
  const wire = dial(endpoint, 'something', () => {});
  await eventually('the connection', () => wire.connected || undefined);
  return wire;
};
const writing: Moment = async (dial, endpoint) => {
  const wire = await standing(dial, endpoint);
  wire.write(Buffer.alloc(UNREAD_BYTES));
  return wire;
};
const finishing: Moment = async (dial, endpoint) => {
  const wire = await standing(dial, endpoint);
  wire.end(Buffer.alloc(UNREAD_BYTES));
  return wire;
};

const atPort = (): Promise<Server> => deaf(null);
const atPath = (t: Test): Promise<Server> => deaf(join(tempFolder(t), 's'));
const silent = (): Promise<Server> => silentEndpoint();

const MOMENTS: Readonly<Record<string, readonly [(t: Test) => Promise<Server>, Moment]>> = {
  ...(loadKernel().ok ? { 'that connects to a silent server': [silent, connecting] } : {}),
  'that connects': [atPort, connecting],
  'that stands': [atPort, standing],
  'with bytes that are not read': [atPort, writing],
  'with FIN behind bytes that are not read': [atPort, finishing],
  'to a unix socket': [atPath, standing],
  'to a unix socket, with FIN behind bytes': [atPath, finishing],
};

const descriptors = (): number => readdirSync('/proc/self/fd').length;

for (const [kind, dial] of Object.entries(DIALS)) {
  for (const [way, end] of Object.entries(WAYS)) {
    for (const [when, [serve, moment]] of Object.entries(MOMENTS)) {
      t.test(`${kind} ${when} and is ${way} is closed at once`, async (t) => {
        const before = descriptors();
        const server = await serve(t);
        const wire = await moment(dial, server.endpoint);
        end(wire);
        await eventually('the end', () => wire.closed || undefined, SOON_MS);
        server.close();
        await eventually('its descriptor', () => descriptors() === before || undefined, SOON_MS);
      });
    }
  }
}
