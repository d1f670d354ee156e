import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { escalate, present } from '../../src/core/assert.js';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { below, seededRandom } from '../../src/core/random.js';
import type { Wire } from '../../src/core/wire.js';
import { descriptorDial } from '../../src/kernel/descriptor_wire.js';
import { eventually, within } from '../support/deadline.js';
import { freePort } from '../support/places.js';
import { seed } from '../support/seed.js';
import { testKernel } from '../support/uring_engine.js';

t.comment(`SEED=${seed}`);

const made = descriptorDial(testKernel(), escalate);
const dial = present(made.ok ? made.value : null, 'io_uring works on this machine');

/** A wire, and how to wait for what becomes of it. */
class Watched {
  readonly wire: Wire;
  #wake = (): void => {};

  constructor(endpoint: Endpoint) {
    this.wire = dial(endpoint, 'something', () => this.#wake());
  }

  until(what: string, is: (wire: Wire) => boolean): Promise<void> {
    return within(
      what,
      new Promise<void>((resolve) => {
        this.#wake = () => {
          if (is(this.wire)) resolve();
        };
        this.#wake();
      }),
    );
  }
}

async function serving(t: Test, each: (socket: Socket) => void): Promise<Endpoint> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    each(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return ipEndpoint(4, '127.0.0.1', (server.address() as AddressInfo).port);
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

t.test('a connection that is refused has the error of its errno, and no descriptor', async (t) => {
  const before = descriptors();
  const one = new Watched(ipEndpoint(4, '127.0.0.1', await freePort()));
  t.same([one.wire.connected, one.wire.error], [false, null], 'not from inside');
  await one.until('the refusal', ({ error }) => error !== null);
  t.match(one.wire.error, { code: 'ECONNREFUSED', syscall: 'connect' });
  one.wire.destroy();
  t.ok(one.wire.closed);
  t.equal(descriptors(), before);
});

t.test('what breaks in one is its error, and no other one’s affair', async (t) => {
  const endpoint = ipEndpoint(4, '127.0.0.1', await freePort());
  const { libc } = testKernel();
  let calls = 0;
  const connectAt: typeof libc.connectAt = (...of) => {
    calls++;
    if (calls === 3) throw new Error('a defect for tests');
    return libc.connectAt(...of);
  };
  const defects: unknown[] = [];
  const broken = descriptorDial({ ...testKernel(), libc: { ...libc, connectAt } }, (error) => {
    defects.push(error);
  });
  const dialled = present(broken.ok ? broken.value : null, 'io_uring works on this machine');
  const before = descriptors();
  // Two begin; the first one to look finds the defect, the other one its refusal.
  const wires = await Promise.all(
    [1, 2].map(async () => {
      const wire = new Promise<Wire>((resolve) => {
        const made: Wire = dialled(endpoint, 'something', () => resolve(made));
      });
      return within('an end', wire);
    }),
  );
  t.match(wires[0]?.error, { name: 'InvariantError', message: 'Error: a defect for tests' });
  t.ok(wires[0]?.closed);
  t.match(wires[1]?.error, { code: 'ECONNREFUSED' });
  wires[1]?.destroy();
  t.same(defects, [], 'who waits for it tells');
  t.equal(descriptors(), before);
});

t.test('more than the kernel takes at once is sent as the other side reads', async (t) => {
  const bytes = 8 * 1_048_576;
  let read = 0;
  let slow: Socket | null = null;
  const endpoint = await serving(t, (socket) => {
    slow = socket;
    socket.pause().on('data', (chunk) => {
      read += chunk.length;
    });
  });
  const one = new Watched(endpoint);
  await one.until('the connection', ({ connected }) => connected);
  one.wire.write(new Uint8Array(bytes));
  t.notOk(one.wire.sent, 'it waits for room');
  const reader: Socket = await eventually('the server', () => slow ?? undefined);
  reader.resume();
  await one.until('the rest', ({ sent }) => sent);
  const over = once(reader, 'end');
  one.wire.end('');
  await within('FIN', over);
  t.equal(read, bytes);
  reader.destroy();
});

t.test('one that is closed while it waits for an answer closes the connection', async (t) => {
  let ended = (): void => {};
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const endpoint = await serving(t, (socket) => socket.on('close', ended).resume().end());
  const before = descriptors();
  const one = new Watched(endpoint);
  await one.until('the connection', ({ connected }) => connected);
  one.wire.read();
  one.wire.destroy();
  await within('the end at the server', over);
  await eventually('its descriptor', () => (descriptors() === before ? true : undefined));
});

t.test('hundreds that are given up at any moment disturb no other', async (t) => {
  const random = seededRandom(seed);
  const endpoint = await serving(t, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
  });
  const before = descriptors();
  async function converse(number: number): Promise<string> {
    const text = `number ${number}`;
    const stop = below(random, 6);
    const one = new Watched(endpoint);
    if (stop === 0) return given(one);
    await one.until('a connection', ({ connected }) => connected);
    if (stop === 1) return given(one);
    one.wire.write(text);
    let heard = '';
    const hear = ({ error }: Wire): boolean => {
      const chunk = one.wire.read();
      if (chunk !== null) heard += Buffer.from(chunk).toString();
      return error !== null || heard === text;
    };
    if (stop === 2) {
      hear(one.wire);
      return given(one);
    }
    await one.until('an echo', hear);
    one.wire.end('');
    return one.wire.error === null && heard === text ? 'served' : `${heard}: ${one.wire.error}`;
  }
  function given(one: Watched): string {
    one.wire.destroy();
    return 'given up';
  }
  for (let round = 0; round < 5; round++) {
    const all = await Promise.all(Array.from({ length: 200 }, (_, number) => converse(number)));
    t.same([...new Set(all)].sort(), ['given up', 'served'], `round ${round}`);
  }
  await eventually('no descriptor is left', () => (descriptors() <= before ? true : undefined));
});
