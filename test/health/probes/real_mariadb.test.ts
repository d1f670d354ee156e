/** The mysql probe against MariaDB itself. */
import { networkInterfaces } from 'node:os';
import t, { type Test } from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { Child } from '../../support/process.js';
import { available, haveServers, program } from '../../support/require_server.js';
import { MARIADB_PROGRAMS, startMariadb } from '../../support/servers/mariadb.js';
import { ask, line } from './ask.js';

const SPEC = { kind: 'mysql' } as const;
const UP = /^ok: version \d+\.\d+\.\d+-MariaDB/;
/** Connections that break off in the handshake until the host is blocked. */
const MAX_CONNECT_ERRORS = 3;

/**
 * An address of this machine for which the server keeps its count of errors; loopback is exempt.
 */
function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

t.test('MariaDB', async (t) => {
  if (!haveServers(t, ...MARIADB_PROGRAMS, 'mariadb')) return;
  const server = await startMariadb(
    t,
    '--bind-address=0.0.0.0',
    `--max-connect-errors=${MAX_CONNECT_ERRORS}`,
  );

  await t.test('is ready, with and without the account of the probe', async (t) => {
    t.match(line(await ask(SPEC, server.port)), UP);
    await server.query('create user sluice@"%"; flush privileges');
    t.match(line(await ask(SPEC, server.port)), UP);
  });

  await t.test('with that account a probe leaves nothing in the log', async (t) => {
    const before = server.log.length;
    for (let i = 0; i < 5; i++) t.match(line(await ask(SPEC, server.port)), UP);
    t.same(server.log.slice(before), []);
  });

  await t.test('probing never locks the host out', (t) => neverLocksOut(t, server));

  await t.test('is not ready when it is full', async (t) => {
    await server.query('set global max_connections = 10');
    const clients = Array.from({ length: 10 }, () => client(t, server.port));
    for (const one of clients) await one.stdout.first('a session', (out) => out === '1');
    t.match(line(await ask(SPEC, server.port)), /^not-ready: Too many connections \(1040\)$/);
  });

  await t.test('refuses when it is gone', async (t) => {
    await server.kill();
    t.match(line(await ask(SPEC, server.port)), /^refused: /);
  });
});

async function neverLocksOut(t: Test, server: Awaited<ReturnType<typeof startMariadb>>) {
  const address = ownAddress();
  if (!available(t, [['this machine has no address but loopback', address !== undefined]])) return;
  const endpoint = ipEndpoint(4, address ?? '', server.port);
  for (const account of ['drop user sluice@"%"', 'create user sluice@"%"']) {
    await server.query(account);
    for (let i = 0; i < 4 * MAX_CONNECT_ERRORS; i++) t.match(line(await ask(SPEC, endpoint)), UP);
  }
  // The proof that the address counts at all: connections that only wait for the greeting.
  for (let i = 0; i < 2 * MAX_CONNECT_ERRORS; i++) {
    const greeting = { send: null, expect: Buffer.from('MariaDB') };
    const hasty = { kind: 'send-expect', steps: [greeting], minimumBytes: 0, tls: null } as const;
    await ask(hasty, endpoint);
  }
  t.match(line(await ask(SPEC, endpoint)), /^not-ready: Host .* is blocked .*\(1129\)$/);
  await server.query('flush hosts');
  t.match(line(await ask(SPEC, endpoint)), UP);
}

/** A session that stays, and has said `1`. */
function client(t: Test, port: number): Child {
  const args = ['--no-defaults', '-h127.0.0.1', `-P${port}`, '-usluice', '-BN', '--unbuffered'];
  const child = new Child(program('mariadb'), args);
  t.teardown(() => child.kill());
  child.write('select 1;\n');
  return child;
}
