/** systemd/README.md, word by word, in a freshly installed Debian 12: from nothing to nothing. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../../support/deadline.js';
import {
  block,
  builtPackage,
  debianAvailable,
  freshDebian,
  PackageTree,
} from '../../support/fresh_debian.js';
import { startEchoes } from '../../support/load/echo_backend.js';
import { exchangeOnce } from '../../support/load/short_connections.js';
import { finishStreams, openStreams } from '../../support/load/verified_stream.js';
import { bootFolder, type Container } from '../../support/nspawn.js';
import { freePort } from '../../support/places.js';

const MAX_PACKAGE_BYTES = 45e6;
const FILE = 'etc/sluice/sluice.toml';
const LONG = 10;
const BLOCK_EVERY_MS = 100;

t.setTimeout(600_000);

t.test('the guide leads from a fresh Debian 12 to a service, and away from it', async (t) => {
  if (!debianAvailable(t)) return;
  const [root, first] = await Promise.all([freshDebian(t), builtPackage(t)]);
  const tree = await PackageTree.of(t, first);
  t.ok(statSync(first).size <= MAX_PACKAGE_BYTES, `${statSync(first).size} bytes`);
  const container = await bootFolder(t, root);
  const here = join(root, 'root');
  const follow = (name: string): Promise<string> =>
    container.must('/bin/sh', '-euc', `cd /root\n${block(name)}`);
  const old = await oldProxy(t);
  const serves = (): Promise<true> =>
    eventually('it serves', async () =>
      (await exchangeOnce({ port: old.port }, 1_000)) === null ? true : undefined,
    );
  /** Replaces the package at hand by the next version, and installs that by the guide. */
  const upgrade = async (version: string): Promise<void> => {
    const next = await tree.pack(version);
    for (const name of readdirSync(here)) if (name.endsWith('.deb')) await rm(join(here, name));
    await cp(next, join(here, basename(next)));
    await follow('upgrade');
    t.equal(await installed(container), version);
  };

  await t.test('installed, it runs by a configuration that does no harm', async (t) => {
    await cp(first, join(here, basename(first)));
    t.match(await follow('install'), 'active (running)');
    t.match(await container.must('sluice', 'ctl', 'status'), /^1 listener, 1 pool,/m);
    await container.must('sluice', 'check', '-c', `/${FILE}`);
    t.match(await container.must('stat', '-c', '%U:%G %a', `/${FILE}`), 'root:sluice 640');
    t.match(await container.must('stat', '-c', '%U %a', '/var/lib/sluice'), 'sluice 700');
  });

  await t.test('it serves by a file of HAProxy as Patroni’s users have it', async (t) => {
    writeFileSync(join(here, 'haproxy.cfg'), old.file);
    await follow('import');
    const process = await container.property('sluice', 'MainPID');
    await follow('reload');
    await serves();
    t.equal(await exchangeOnce({ port: old.privileged }), null, 'a port below 1024');
    t.equal(old.replica.served, 0, 'only the primary serves');
    t.equal(await container.property('sluice', 'MainPID'), process);
    const status = await container.must('sluice', 'ctl', 'status');
    t.match(status, /^engine uring,/m, 'io_uring works in the sandbox');
    const user = await container.must('stat', '-c', '%U', `/proc/${process}`);
    t.equal(user.trim(), 'sluice');
    await follow('restart');
    t.not(await container.property('sluice', 'MainPID'), process);
    await serves();
  });

  await t.test('an upgrade keeps the file, the service and its sessions', async (t) => {
    const file = readFileSync(join(root, FILE), 'utf8');
    const process = await container.property('sluice', 'MainPID');
    const long = await openStreams({ port: old.port }, LONG, BLOCK_EVERY_MS);
    await upgrade('99.1');
    t.not(await container.property('sluice', 'MainPID'), process);
    await serves();
    t.same(await finishStreams(long), [], 'no session is cut');
    t.equal(readFileSync(join(root, FILE), 'utf8'), file);
    // One that the new version does not accept: the old process is better than none.
    writeFileSync(join(root, FILE), `${file}\npolizy = 1\n`);
    const serving = await container.property('sluice', 'MainPID');
    await upgrade('99.2');
    t.equal(await container.property('sluice', 'MainPID'), serving);
    await serves();
  });

  await t.test('removed, it leaves its configuration; purged, nothing', async (t) => {
    await follow('remove');
    t.not((await container.run('systemctl', 'is-active', 'sluice')).stdout.trim(), 'active');
    const kept = [FILE, 'var/lib/sluice'];
    const program = ['usr/lib/sluice', 'usr/bin/sluice', 'lib/systemd/system/sluice.service'];
    const there = (path: string): boolean => existsSync(join(root, path));
    t.same(program.filter(there), []);
    t.same(kept.filter(there), kept);
    await follow('purge');
    const links = ['etc/sluice', 'etc/systemd/system/multi-user.target.wants/sluice.service'];
    t.same([...program, ...kept, ...links].filter(there), []);
  });
});

async function installed(container: Container): Promise<string> {
  const status = await container.must('dpkg', '--status', 'sluice');
  return /^Version: (.*)$/m.exec(status)?.[1] ?? 'none';
}

/** Two servers of a Patroni cluster, and HAProxy's file in front of them. */
async function oldProxy(t: Test) {
  const hosts = ['127.0.0.1', '127.0.0.2'] as const;
  const [primary] = await startEchoes(t, 1, { host: hosts[0] });
  const [replica] = await startEchoes(t, 1, { host: hosts[1] });
  if (primary === undefined || replica === undefined) throw new Error('no servers');
  const agents = await freePort();
  await patroni(t, hosts[0], agents, 200);
  await patroni(t, hosts[1], agents, 503);
  const port = await freePort();
  // Below 1024, and no service of this machine stands there as a rule.
  const privileged = 900 + (process.pid % 80);
  const file = `global
    maxconn 1000

defaults
    log global
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 5s

listen stats
    mode http
    bind 127.0.0.1:${await freePort()}
    stats enable
    stats uri /

listen cluster
    bind 127.0.0.1:${port}
    bind 127.0.0.1:${privileged}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fall 3 rise 1 on-marked-down shutdown-sessions
    server one ${primary.address} maxconn 500 check port ${agents}
    server two ${replica.address} maxconn 500 check port ${agents}
`;
  return { file, port, privileged, replica };
}

/** An agent that answers at `port` as Patroni does: is this the primary? */
async function patroni(t: Test, host: string, port: number, status: 200 | 503): Promise<void> {
  const server = createServer((_, response) => response.writeHead(status).end());
  server.listen(port, host);
  await once(server, 'listening');
  t.teardown(() => server.close());
}
