/**
 * Listening sockets that systemd opens and passes: which listener takes them, what differs is
 * refused, and they outlive reloads and the process.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { type Endpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { Named, NamedDatagrams } from '../support/behaviour/servers.js';
import { startOperated } from '../support/ctl.js';
import { Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { within } from '../support/deadline.js';
import { freePort, tempFolder } from '../support/places.js';
import type { Passed } from '../support/process.js';
import type { Upgraded } from '../support/upgrades.js';

const loaded = loadKernel();
const kernel = present(loaded.ok ? loaded.value : null, 'foreign calls work here');

/** As systemd has it: the test's own, for as long as it runs. */
function systemdSocket(t: Test, local: Endpoint, protocol: 'tcp' | 'udp' = 'tcp'): number {
  const options = { local, protocol, reusePort: 'exclusive', backlog: 128 } as const;
  const opened = openListeningSocket(kernel, options);
  const { fd } = present(opened.ok ? opened.value : null, 'a socket can be opened');
  t.teardown(() => closeDescriptor(kernel, fd));
  return fd;
}

const passed = (...sockets: readonly (readonly [string, number])[]): Passed => ({
  names: sockets.map(([name]) => name),
  descriptors: sockets.map(([, fd]) => fd),
});

function pools(tcp: number, udp = 9): string {
  return `
[pools.p]
health.probe = "none"
[[pools.p.backends]]
address = "127.0.0.1:${tcp}"
[pools.d]
health.probe = "none"
[[pools.d.backends]]
address = "127.0.0.1:${udp}"
`;
}

const listener = (name: string, bind: string, more: string): string =>
  `[listeners.${name}]\nbind = ${bind}\npool = "p"\n${more}\n`;

async function greeted(options: NetConnectOpts): Promise<string> {
  const socket = connect(options);
  socket.write('WHO\n');
  const [bytes] = await within('an answer', once(socket, 'data'));
  socket.destroy();
  return String(bytes).trim();
}

async function greetedByDatagram(port: number): Promise<string> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1', () => socket.send('WHO\n'));
  const [bytes] = await within('a datagram', once(socket, 'message'));
  socket.close();
  return String(bytes).trim();
}

const at = (port: number): Endpoint => ipEndpoint(4, '127.0.0.1', port);

async function server(t: Test): Promise<number> {
  const port = await freePort();
  await Named.start(t, 'one', `127.0.0.1:${port}`);
  return port;
}

t.test('streams, datagrams and UNIX sockets of systemd are served', async (t) => {
  const [first, second, third] = [await freePort(), await freePort(), await freePort()];
  const path = join(tempFolder(t), 'front.sock');
  const udp = await freePort();
  await NamedDatagrams.start(t, 'two', `127.0.0.1:${udp}`);
  const toml = [
    listener('web', `["127.0.0.1:${first}", "127.0.0.1:${second}"]`, 'activation = "web"'),
    listener('local', `"unix:${path}"`, 'activation = "local.socket"'),
    `[listeners.names]\nprotocol = "udp"\nbind = "127.0.0.1:${third}"\npool = "d"`,
    'activation = "names"',
    pools(await server(t), udp),
  ].join('\n');
  const daemon = await startDaemon(t, {
    toml,
    // The flow of the datagrams would last.
    shutdownTimeout: '10ms',
    passed: passed(
      ['web', systemdSocket(t, at(first))],
      ['local.socket', systemdSocket(t, { kind: 'unix', path })],
      ['names', systemdSocket(t, at(third), 'udp')],
      ['web', systemdSocket(t, at(second))],
    ),
  });
  // More than one worker has them all.
  for (let time = 0; time < 8; time++) {
    t.equal(await greeted({ port: first, host: '127.0.0.1' }), 'I am one');
    t.equal(await greeted({ port: second, host: '127.0.0.1' }), 'I am one');
    t.equal(await greeted({ path }), 'I am one');
    t.equal(await greetedByDatagram(third), 'I am two');
  }
  t.same(daemon.eventsNamed('sockets-unused'), []);
  await daemon.stop();
  t.ok(existsSync(path), 'the path is systemd’s');
});

t.test(
  'what systemd passes and the file do not agree on is refused, with the difference',
  async (t) => {
    const port = await freePort();
    const other = await freePort();
    const fd = systemdSocket(t, at(port));
    const backend = await server(t);
    const refusal = async (front: string): Promise<string> => {
      const setup = {
        toml: `${front}${pools(backend)}`,
        passed: passed(['web', fd]),
        engine: ENGINE,
      };
      const daemon = new Daemon(join(tempFolder(t), 'sluice.toml'), setup);
      t.teardown(() => daemon.end());
      t.equal((await daemon.exited).code, 1);
      return daemon.complaints;
    };
    t.match(
      await refusal(listener('a', `"127.0.0.1:${other}"`, 'activation = "web"')),
      `systemd's socket "web" is tcp at 127.0.0.1:${port}`,
    );
    t.match(
      await refusal(listener('a', `"127.0.0.1:${port}"`, 'activation = "wbe"')),
      'systemd passes no socket named "wbe" (it passes "web"): the socket unit needs FileDescriptorName=wbe',
    );
    t.match(
      await refusal(listener('a', `"127.0.0.1:${port}"`, '')),
      'systemd listens there: activation = "web" takes it',
    );
  },
);

t.test('a socket of systemd outlives reloads and the process', async (t) => {
  const port = await freePort();
  const idle = await freePort();
  const sockets = passed(['web', systemdSocket(t, at(port))], ['idle', systemdSocket(t, at(idle))]);
  const backend = await server(t);
  const own = listener('own', '"127.0.0.1:0"', '');
  const web = listener('web', `"127.0.0.1:${port}"`, 'activation = "web"');
  const rest = pools(backend);
  const setup = { toml: own + web + rest, passed: sockets };
  const daemon = await startDaemon(t, setup);
  const unused = await daemon.event('sockets-unused');
  t.equal(unused['detail'], `"idle" tcp at 127.0.0.1:${idle}`);
  const changed = await daemon.reload(own + listener('web', `"127.0.0.1:${port}"`, '') + rest);
  t.equal(changed.event, 'reload-failed');
  t.match(JSON.stringify(changed), 'activation changes with a restart only');
  t.equal((await daemon.reload(own + rest)).event, 'reloaded');
  // It waits in the queue that is systemd's.
  const late = greeted({ port, host: '127.0.0.1' });
  t.equal((await daemon.reload(own + web + rest)).event, 'reloaded');
  t.equal(await late, 'I am one');
  await daemon.stop();
  const between = greeted({ port, host: '127.0.0.1' });
  await startDaemon(t, setup);
  t.equal(await between, 'I am one');
});

t.test('an upgrade hands them over, by their names', async (t) => {
  const [web, names, udp] = [await freePort(), await freePort(), await freePort()];
  const path = join(tempFolder(t), 'front.sock');
  await NamedDatagrams.start(t, 'two', `127.0.0.1:${udp}`);
  const one = listener('web', `"127.0.0.1:${web}"`, 'activation = "web"');
  const rest = [
    `[listeners.names]\nprotocol = "udp"\nbind = "127.0.0.1:${names}"\npool = "d"`,
    'activation = "names"',
    pools(await server(t), udp),
  ].join('\n');
  const local = listener('local', `"unix:${path}"`, 'activation = "local.socket"');
  const { daemon, ask } = await startOperated(t, {
    toml: one + rest,
    passed: passed(
      ['web', systemdSocket(t, at(web))],
      ['names', systemdSocket(t, at(names), 'udp')],
      ['local.socket', systemdSocket(t, { kind: 'unix', path })],
    ),
  });
  const { pid } = await ask<Upgraded>('upgrade');
  await daemon.event('left');
  t.equal(await greeted({ port: web, host: '127.0.0.1' }), 'I am one');
  t.equal(await greetedByDatagram(names), 'I am two');
  // Also one that no listener had asked for by then.
  daemon.write(one + local + rest);
  process.kill(pid, 'SIGHUP');
  await daemon.event('reloaded');
  t.equal(await greeted({ path }), 'I am one');
});
