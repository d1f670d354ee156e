/**
 * Two machines with one address, by conf/ha/keepalived.conf as it is there. The test's own network
 * is the switch, the client and the backend.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type Daemon, type DaemonSetup, type EngineUnderTest, startDaemon } from './daemon.js';
import { ip, type TestMachine } from './machines.js';
import { freePort, tempFolder } from './places.js';
import { repositoryRoot } from './repository.js';
import { program } from './require_server.js';

export const HA = join(repositoryRoot, 'conf/ha');
export const VIRTUAL = '192.0.2.10';
export const PORT = 5432;

export interface Peer {
  readonly daemon: Daemon;
  readonly toml: string;
  /** The next line of its keepalived that matches. */
  readonly says: (pattern: RegExp) => Promise<unknown>;
}

/** All machines are on one network, with this one; answers where the backend is. */
export async function startSwitch(t: Test, machines: readonly TestMachine[]): Promise<string> {
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

export interface PeerSetup {
  readonly engine: EngineUnderTest;
  readonly priority: number;
  readonly backend: string;
  readonly more?: Partial<DaemonSetup>;
}

export async function startPeer(t: Test, machine: TestMachine, setup: PeerSetup): Promise<Peer> {
  const { engine, priority, backend, more = {} } = setup;
  const example = readFileSync(join(HA, 'sluice.toml'), 'utf8');
  const toml = example
    .slice(example.indexOf('[listeners'), example.lastIndexOf('[[pools'))
    .replace('10.0.0.21:5432', backend);
  const daemon = await startDaemonAt(t, machine, toml, { engine, ...more });
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

export async function startDaemonAt(
  t: Test,
  { within }: TestMachine,
  toml: string,
  more: Partial<DaemonSetup>,
): Promise<Daemon> {
  return startDaemon(t, { toml, within, workers: 1, admin: '127.0.0.1:9600', ...more });
}

export async function hasAddress(machine: TestMachine): Promise<boolean> {
  return (await machine.ip('address show dev eth0')).includes(VIRTUAL);
}
