import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ListeningSockets } from '../../src/control/listening_sockets.js';
import type { WorkerId } from '../../src/core/brand.js';
import { formatAddress, ipEndpoint } from '../../src/core/endpoint.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { freePort, tempFolder } from '../support/places.js';
import { tryDial } from '../support/wire.js';
import { listenerSpec } from './fixtures.js';

const [w0, w1] = [0 as WorkerId, 1 as WorkerId];
const loaded = loadKernel();
const kernel = loaded.ok ? loaded.value : null;

t.test('each worker has a descriptor of its own for one address', async (t) => {
  const sockets = new ListeningSockets(kernel, 2);
  const front = listenerSpec('front', 'pg');
  t.same(await sockets.open('tcp/front', front), { ok: true, value: null });
  const [first] = sockets.planned('tcp/front', front, w0);
  const [second] = sockets.planned('tcp/front', front, w1);
  t.not(first?.key, second?.key);
  t.same(
    [first, second].map((socket) => sockets.ownerOf(socket?.key ?? 0)),
    Array(2).fill('tcp/front'),
  );
  t.same(first?.source.local, second?.source.local);
  t.match(
    [first, second],
    [{ source: { kind: 'descriptor' } }, { source: { kind: 'descriptor' } }],
  );
  t.not(JSON.stringify(first?.source), JSON.stringify(second?.source));
  const [local] = sockets.locals('tcp/front');
  t.ok(local?.kind === 'ip' && local.port > 0, 'port 0 is a real one now');
  sockets.closeAll();
});

t.test(
  'an address that is taken fails, names itself, and leaves nothing of the listener',
  async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const taken = ipEndpoint(4, '127.0.0.1', port);
    const free = ipEndpoint(4, '127.0.0.1', 0);
    const sockets = new ListeningSockets(kernel, 2);
    const result = await sockets.open('tcp/x', listenerSpec('x', 'pg', { bind: [free, taken] }));
    t.match(result, {
      ok: false,
      error: { address: formatAddress(taken), sentence: /EADDRINUSE/ },
    });
    t.same(sockets.locals('tcp/x'), []);
    server.close();
  },
);

t.test(
  'a changed bind opens the new address first and closes the old one at its time',
  async (t) => {
    const sockets = new ListeningSockets(kernel, 1);
    const before = listenerSpec('front', 'pg', { bind: [ipEndpoint(4, '127.0.0.1', 0)] });
    const after = listenerSpec('front', 'pg', { bind: [ipEndpoint(4, '127.0.0.2', 0)] });
    await sockets.open('tcp/front', before);
    const [old] = sockets.planned('tcp/front', before, w0);
    await sockets.open('tcp/front', after);
    t.equal(sockets.locals('tcp/front').length, 2);
    const [fresh] = sockets.planned('tcp/front', after, w0);
    t.not(fresh?.key, old?.key);
    t.equal(sockets.ownerOf(old?.key ?? 0), 'tcp/front');
    sockets.retireAll(() => after);
    t.equal(sockets.locals('tcp/front').length, 1);
    t.equal(sockets.ownerOf(old?.key ?? 0), undefined);
    t.match(sockets.addressOf(fresh?.key ?? 0), /^127\.0\.0\.2:\d+$/);
    sockets.closeAll();
  },
);

t.test(
  'the socket file of a process that was killed is taken over, a live one is not',
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'x.sock');
    const spec = listenerSpec('x', 'pg', { bind: [{ kind: 'unix', path }] });
    const first = new ListeningSockets(kernel, 2);
    t.ok((await first.open('tcp/x', spec)).ok);
    const second = new ListeningSockets(kernel, 2);
    t.match(await second.open('tcp/x', spec), { ok: false, error: { address: `unix:${path}` } });
    t.ok(existsSync(path), 'the file of the living stays');
    first.closeAll();
  },
);

t.test('without foreign calls workers bind by themselves, a path only the first', async (t) => {
  const sockets = new ListeningSockets(null, 2);
  const unix = { kind: 'unix', path: '/run/never-bound.sock' } as const;
  const spec = listenerSpec('x', 'pg', { bind: [ipEndpoint(4, '127.0.0.1', 0), unix] });
  await sockets.open('tcp/x', spec);
  t.match(sockets.planned('tcp/x', spec, w0), [
    { source: { kind: 'bind', reusePort: 'shared' } },
    { source: { kind: 'bind' } },
  ]);
  const [ip] = sockets.planned('tcp/x', spec, w1);
  t.equal(sockets.planned('tcp/x', spec, w1).length, 1);
  const real = ipEndpoint(4, '127.0.0.1', 4711);
  t.equal(sockets.bound(ip?.key ?? 0, real), 'first');
  t.equal(sockets.bound(ip?.key ?? 0, real), 'not the first', 'that is reported once');
  t.equal(sockets.addressOf(ip?.key ?? 0), '127.0.0.1:4711');
});

t.test('without foreign calls, too, a path is bound again whose file was removed', async (t) => {
  const sockets = new ListeningSockets(null, 1);
  const path = join(tempFolder(t), 'x.sock');
  const spec = listenerSpec('x', 'pg', { bind: [{ kind: 'unix', path }] });
  const open = () => sockets.open('tcp/x', spec, () => spec, 'open again');
  const key = (): number => sockets.planned('tcp/x', spec, w0)[0]?.key ?? 0;
  await open();
  const worker = createServer().listen(path);
  await once(worker, 'listening');
  const first = key();
  sockets.bound(first, { kind: 'unix', path });
  await open();
  t.equal(key(), first, 'it is open');
  unlinkSync(path);
  await open();
  t.not(key(), first);
  sockets.retireAll(() => spec);
  t.equal(sockets.ownerOf(first), undefined);
  worker.close();
});

for (const kind of ['a file', 'a directory', 'a symbolic link', 'a named pipe'] as const) {
  t.test(`${kind} at the path of a socket is refused and stays`, async (t) => {
    const path = join(tempFolder(t), 'x.sock');
    if (kind === 'a file') writeFileSync(path, 'precious');
    if (kind === 'a directory') mkdirSync(path);
    if (kind === 'a symbolic link') symlinkSync('target', path);
    if (kind === 'a named pipe') execFileSync('mkfifo', [path]);
    const before = lstatSync(path).ino;
    const sockets = new ListeningSockets(kernel, 2);
    const spec = listenerSpec('x', 'pg', { bind: [{ kind: 'unix', path }] });
    const opened = await sockets.open('tcp/x', spec);
    t.match(opened, { ok: false, error: { address: `unix:${path}`, sentence: kind } });
    sockets.closeAll();
    t.equal(lstatSync(path).ino, before);
  });
}

t.test('at its close a listener removes its own socket file, and no other one', async (t) => {
  const path = join(tempFolder(t), 'x.sock');
  const spec = listenerSpec('x', 'pg', { bind: [{ kind: 'unix', path }] });
  const first = new ListeningSockets(kernel, 2);
  t.ok((await first.open('tcp/x', spec)).ok);
  unlinkSync(path);
  const second = new ListeningSockets(kernel, 2);
  t.ok((await second.open('tcp/x', spec)).ok);
  first.closeAll();
  t.ok(existsSync(path), 'that one belongs to the second');
  second.closeAll();
  t.notOk(existsSync(path));
});

for (const protocol of ['tcp', 'udp'] as const) {
  t.test(`a ${protocol} listener takes over what another one leaves behind`, async (t) => {
    const sockets = new ListeningSockets(kernel, 2);
    const bind = [ipEndpoint(4, '127.0.0.1', await freePort())];
    const [old, heir] = ['old', 'heir'].map((name) => listenerSpec(name, 'pg', { bind, protocol }));
    if (old === undefined || heir === undefined) throw new Error('there are two');
    await sockets.open('old', old);
    const [before] = sockets.planned('old', old, w1);
    const taken = await sockets.open('heir', heir, (id) => (id === 'heir' ? heir : null));
    t.ok(taken.ok);
    const [after] = sockets.planned('heir', heir, w1);
    t.same(after?.source, before?.source);
    t.equal(after?.socket, before?.socket);
    t.not(after?.key, before?.key);
    const fd = after?.source.kind === 'descriptor' ? after.source.fd : -1;
    sockets.retire('old', null);
    t.equal(isOpen(fd), true, 'it is the heir’s');
    sockets.retire('heir', null);
    t.equal(isOpen(fd), false);
  });
}

t.test('a listener that takes over or keeps a socket gives it its present backlog', async (t) => {
  const path = join(tempFolder(t), 'x.sock');
  const waiting: Socket[] = [];
  t.teardown(() => {
    for (const socket of waiting) socket.destroy();
  });
  /** How many are there when the next one gets EAGAIN: one more than the backlog (unix(7)). */
  const places = async (): Promise<number> => {
    for (;;) {
      const wire = await tryDial({ port: 0, path });
      if (wire === 'EAGAIN') return waiting.length;
      if (typeof wire === 'string') throw new Error(wire);
      waiting.push(wire.socket);
    }
  };
  const listening = (name: string, backlog: number) =>
    listenerSpec(name, 'pg', { bind: [{ kind: 'unix', path }], backlog });
  const sockets = new ListeningSockets(kernel, 2);
  t.ok((await sockets.open('old', listening('old', 1))).ok);
  t.equal(await places(), 2);
  const heir = listening('heir', 3);
  const specOf = (id: string) => (id === 'heir' ? heir : null);
  t.same(await sockets.open('heir', heir, specOf), { ok: true, value: null });
  t.equal(await places(), 2, 'not before the change is made');
  sockets.retireAll(specOf);
  t.equal(await places(), 4, 'no client is lost');
  sockets.retireAll(() => listening('heir', 5));
  t.equal(await places(), 6);
  sockets.closeAll();
});

t.test('what stays with its listener is not taken over', async (t) => {
  const sockets = new ListeningSockets(kernel, 1);
  const bind = [ipEndpoint(4, '127.0.0.1', await freePort())];
  const old = listenerSpec('old', 'pg', { bind, protocol: 'udp' });
  const other = listenerSpec('other', 'pg', { bind, protocol: 'udp' });
  await sockets.open('old', old);
  await sockets.open('other', other, (id) => (id === 'old' ? old : other));
  const numbers = [sockets.planned('old', old, w0), sockets.planned('other', other, w0)].map(
    ([socket]) => socket?.socket,
  );
  t.equal(new Set(numbers).size, 2);
  sockets.closeAll();
});

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}
