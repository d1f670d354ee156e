/**
 * A pair of machines with one address, by conf/ha/keepalived.conf as it is there: one of each
 * engine. The test's own network is the switch, the client and the backend.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Daemon, type EngineUnderTest, startDaemon } from '../../support/daemon.js';
import { eventually, nowMs, PATIENCE_MS } from '../../support/deadline.js';
import { exchangeOnce } from '../../support/load/short_connections.js';
import { haveMachines, ip, startMachines, type TestMachine } from '../../support/machines.js';
import { inOwnNetwork } from '../../support/own_network.js';
import { freePort, tempFolder } from '../../support/places.js';
import { repositoryRoot } from '../../support/repository.js';
import { program } from '../../support/require_server.js';

const HA = join(repositoryRoot, 'conf/ha');
const VIRTUAL = '192.0.2.10';
const PORT = 5432;
/** A daemon is missed after 2 s, a machine after 1.8 s; for a busy one. */
const BACK_WITHIN_MS = 15_000;
const ATTEMPT_MS = 300;
const AFTERWARDS = 100;

if (inOwnNetwork(import.meta.url)) {
  t.test('when the master dies the other one is there, and then refuses nobody', async (t) => {
    if (!haveMachines(t, 'keepalived')) return;
    const [a, b] = await startMachines(t, ['a', 'b']);
    if (a === undefined || b === undefined) throw new Error('two machines');
    const backend = await startSwitch(t, [a, b]);
    const first = await startPeer(t, a, { engine: 'node', priority: 100, backend });
    await eventually('it serves', async () => ((await reaches()) ? true : undefined));
    await startPeer(t, b, { engine: 'uring', priority: 90, backend });
    t.equal(await hasAddress(b), false, 'one has the address');

    const died = await awayFor(() => first.daemon.kill());
    t.comment(`the daemon was killed: ${Math.round(died)} ms`);
    t.ok(died < BACK_WITHIN_MS, 'the address went to the other machine');
    t.equal(await hasAddress(b), true);
    t.equal(await refused(), 0, 'and nobody is refused there');

    const well = first.says(/sluice. succeeded/);
    await startDaemonAt(t, a, first.toml, 'node');
    await well;
    t.equal(await hasAddress(b), true, 'who comes back does not take it');
    const cut = await awayFor(() => ip(`link set ${b.cable} down`));
    t.comment(`the machine is gone: ${Math.round(cut)} ms`);
    t.ok(cut < BACK_WITHIN_MS, 'the first one has noticed');
    t.equal(await refused(), 0);
  });
}

interface Pair {
  readonly daemon: Daemon;
  readonly toml: string;
  /** The next line of its keepalived that matches. */
  readonly says: (pattern: RegExp) => Promise<unknown>;
}

/** All machines are on one network, with this one; answers where the backend is. */
async function startSwitch(t: Test, machines: readonly TestMachine[]): Promise<string> {
  await ip('link add switch type bridge');
  await ip('link set switch up');
  await ip('address add 198.51.100.1/24 dev switch');
  await ip(`route add ${VIRTUAL}/32 dev switch`);
  for (const [index, machine] of machines.entries()) {
    await ip(`link set ${machine.cable} master switch`);
    await machine.ip(`address add 198.51.100.${index + 11}/24 dev eth0`);
  }
  const echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => echo.listen(port, '198.51.100.1', resolve));
  t.teardown(() => echo.close());
  return `198.51.100.1:${port}`;
}

async function startPeer(
  t: Test,
  machine: TestMachine,
  setup: { readonly engine: EngineUnderTest; readonly priority: number; readonly backend: string },
): Promise<Pair> {
  const { engine, priority, backend } = setup;
  const example = readFileSync(join(HA, 'sluice.toml'), 'utf8');
  const toml = example
    .slice(example.indexOf('[listeners'), example.lastIndexOf('[[pools'))
    .replace('10.0.0.21:5432', backend);
  const daemon = await startDaemonAt(t, machine, toml, engine);
  const folder = tempFolder(t);
  const file = join(folder, 'keepalived.conf');
  const text = readFileSync(join(HA, 'keepalived.conf'), 'utf8')
    // It refuses scripts below a folder that others may write to.
    .replace('    enable_script_security\n', '')
    .replace('/etc/sluice/ha/ready', join(HA, 'ready'))
    .replace('priority 100', `priority ${priority}`);
  writeFileSync(file, text);
  const pids = ['-p', join(folder, 'pid'), '-r', join(folder, 'vrrp.pid')];
  const command = [program('keepalived'), '-n', '-l', '-D', '-P', '-f', file, ...pids];
  const keepalived = machine.start(t, command);
  const says = (pattern: RegExp): Promise<unknown> =>
    Promise.race(
      [keepalived.stdout, keepalived.stderr].map((feed) =>
        feed.next(String(pattern), (line) => pattern.test(line)),
      ),
    );
  return { daemon, toml, says };
}

async function startDaemonAt(
  t: Test,
  { within }: TestMachine,
  toml: string,
  engine: EngineUnderTest,
): Promise<Daemon> {
  const setup = { toml, engine, within, workers: 1, admin: '127.0.0.1:9600' };
  return startDaemon(t, setup);
}

async function hasAddress(machine: TestMachine): Promise<boolean> {
  return (await machine.ip('address show dev eth0')).includes(VIRTUAL);
}

/** How long nobody is served after `disaster`; clients dial all the time. */
async function awayFor(disaster: () => Promise<unknown>): Promise<number> {
  await disaster();
  const beganMs = nowMs();
  while (!(await reaches()) && nowMs() - beganMs < PATIENCE_MS);
  return nowMs() - beganMs;
}

/** How many of those that dial now get no answer. */
async function refused(): Promise<number> {
  let failures = 0;
  for (let dialled = 0; dialled < AFTERWARDS; dialled++) {
    if ((await exchangeOnce({ host: VIRTUAL, port: PORT })) !== null) failures++;
  }
  return failures;
}

/** Whether a client is served just now. */
function reaches(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: VIRTUAL, port: PORT });
    socket.setTimeout(ATTEMPT_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.once('connect', () => socket.write('hello'));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('close', () => resolve(false));
  });
}
