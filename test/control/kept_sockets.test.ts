/** What a service manager keeps is a duplicate: these tests hold them as systemd does. */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type HandedSocket, KeptSockets } from '../../src/control/kept_sockets.js';
import { ListeningSockets } from '../../src/control/listening_sockets.js';
import { present } from '../../src/core/assert.js';
import type { WorkerId } from '../../src/core/brand.js';
import { type Endpoint, formatAddress, ipEndpoint } from '../../src/core/endpoint.js';
import { adoptDescriptor, closeDescriptor, duplicate } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { freePort, tempFolder } from '../support/places.js';
import { tryDial } from '../support/wire.js';
import { listenerSpec } from './fixtures.js';

const loaded = loadKernel();
const kernel = present(loaded.ok ? loaded.value : null, 'foreign calls work here');
const WORKERS = 2;

/** As systemd does it: by name, each open socket once. */
class Store {
  readonly names = new Map<string, number[]>();

  keep(name: string, descriptors: readonly number[]): void {
    const kept = this.names.get(name) ?? [];
    const inodes = new Set(kept.map(inodeOf));
    for (const fd of descriptors) {
      if (inodes.has(inodeOf(fd))) continue;
      inodes.add(inodeOf(fd));
      const copy = duplicate(kernel, adoptDescriptor(fd));
      kept.push(present(copy.ok ? copy.value : null, 'a descriptor can be duplicated'));
    }
    this.names.set(name, kept);
  }

  forget(name: string): void {
    for (const fd of this.names.get(name) ?? []) closeDescriptor(kernel, adoptDescriptor(fd));
    this.names.delete(name);
  }

  /** What the next process gets. */
  passOn(): HandedSocket[] {
    return [...this.names.values()].flat().map((fd) => {
      const copy = duplicate(kernel, adoptDescriptor(fd));
      const own = present(copy.ok ? copy.value : null, 'a descriptor can be duplicated');
      return { fd: own, name: null };
    });
  }

  empty(): void {
    for (const name of [...this.names.keys()]) this.forget(name);
  }
}

function store(t: Test): Store {
  const made = new Store();
  t.teardown(() => made.empty());
  return made;
}

/** A process from its start until it serves `bind`. */
async function life(
  kept: Store,
  bind: readonly Endpoint[],
  protocol: 'tcp' | 'udp' = 'tcp',
  keeps: 'kept' | 'not kept' = 'kept',
) {
  const keeper = new KeptSockets(kernel, kept, kept.passOn(), keeps);
  const sockets = new ListeningSockets(kernel, WORKERS, { keeper });
  const spec = listenerSpec('front', 'pg', { bind, protocol });
  const opened = await sockets.open('front', spec);
  const taken = keeper.settle();
  return { keeper, sockets, spec, opened, taken };
}

const inodeOf = (fd: number): string => present(openSockets().get(fd), `${fd} is a socket`);

/** By descriptor: the socket's inode. */
function openSockets(): Map<number, string> {
  const found = new Map<number, string>();
  for (let fd = 3; fd < 256; fd++) {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`);
      if (link.startsWith('socket:')) found.set(fd, link);
    } catch {
      // Nothing is open by that number.
    }
  }
  return found;
}

const planned = ({ sockets, spec }: Awaited<ReturnType<typeof life>>): string[] =>
  [0, 1].map((worker) => {
    const [socket] = sockets.planned('front', spec, worker as WorkerId);
    return socket?.source.kind === 'descriptor' ? inodeOf(socket.source.fd) : 'none';
  });

for (const protocol of ['tcp', 'udp'] as const) {
  t.test(`the next process has the same ${protocol} sockets, one a worker`, async (t) => {
    const kept = store(t);
    const bind = [ipEndpoint(4, '127.0.0.1', await freePort())];
    const first = await life(kept, bind, protocol);
    t.ok(first.opened.ok);
    t.equal(first.taken, 0);
    const before = planned(first);
    t.equal(new Set(before).size, WORKERS);
    first.keeper.leave();
    first.sockets.closeAll();
    const second = await life(kept, bind, protocol);
    t.same(second.opened, { ok: true, value: null });
    t.equal(second.taken, WORKERS);
    t.same(planned(second), before);
    second.sockets.closeAll();
    t.equal(kept.names.size, 0, 'closed while it serves, nothing is kept');
  });
}

t.test('a client that connects while no process runs is accepted by the next one', async (t) => {
  const path = join(tempFolder(t), 'x.sock');
  const port = await freePort();
  const kept = store(t);
  const bind = [ipEndpoint(4, '127.0.0.1', port), { kind: 'unix', path } as const];
  const first = await life(kept, bind);
  t.ok(first.opened.ok);
  first.keeper.leave();
  first.sockets.closeAll();
  for (const target of [{ port }, { port: 0, path }]) {
    const wire = await tryDial(target);
    if (typeof wire === 'string') t.fail(`${JSON.stringify(target)}: ${wire}`);
    else wire.socket.destroy();
  }
  const second = await life(kept, bind);
  t.same(second.opened, { ok: true, value: null });
  // Each worker has a TCP socket; the UNIX one is the same for all.
  t.equal(second.taken, WORKERS + 1);
  second.sockets.closeAll();
  t.equal(await tryDial({ port: 0, path }), 'ENOENT', 'a socket file goes with its socket');
});

t.test('what the next file does not bind is let go', async (t) => {
  const kept = store(t);
  const [old, other] = [await freePort(), await freePort()];
  const first = await life(kept, [ipEndpoint(4, '127.0.0.1', old)]);
  first.keeper.leave();
  first.sockets.closeAll();
  const bind = ipEndpoint(4, '127.0.0.1', other);
  const second = await life(kept, [bind]);
  t.equal(second.taken, 0);
  t.same([...kept.names.keys()], [`tcp/${formatAddress(bind)}`]);
  t.equal(await tryDial({ port: old }), 'ECONNREFUSED');
  second.sockets.closeAll();
});

t.test('where none is kept, those that were are used once more, and let go', async (t) => {
  const kept = store(t);
  const path = join(tempFolder(t), 'x.sock');
  const port = await freePort();
  const bind = [ipEndpoint(4, '127.0.0.1', port), { kind: 'unix', path } as const];
  const first = await life(kept, bind);
  const before = planned(first);
  first.keeper.leave();
  first.sockets.closeAll();
  const second = await life(kept, bind, 'tcp', 'not kept');
  t.same(planned(second), before);
  t.equal(kept.names.size, 0);
  second.keeper.leave();
  second.sockets.closeAll();
  t.equal(await tryDial({ port }), 'ECONNREFUSED');
  t.equal(await tryDial({ port: 0, path }), 'ENOENT');
});

t.test('a start that fails leaves all to the next try', async (t) => {
  const kept = store(t);
  const bind = [ipEndpoint(4, '127.0.0.1', await freePort())];
  const first = await life(kept, bind);
  const before = planned(first);
  first.keeper.leave();
  first.sockets.closeAll();
  const keeper = new KeptSockets(kernel, kept, kept.passOn());
  const failing = new ListeningSockets(kernel, WORKERS, { keeper });
  t.ok((await failing.open('front', listenerSpec('front', 'pg', { bind }))).ok);
  failing.closeAll();
  const third = await life(kept, bind);
  t.same(planned(third), before);
  third.sockets.closeAll();
});
