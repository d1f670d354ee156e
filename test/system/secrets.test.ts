/**
 * Canaries in every key that may carry a secret, servers that repeat what they are sent, and every
 * output of the daemon searched for them.
 */
import { createSocket } from 'node:dgram';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { pgMessage } from '../contract/probe_cases.js';
import { BINARY, ENGINE } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { httpGet } from '../support/http_get.js';
import { leaksOf } from '../support/leaks.js';
import { tempFolder } from '../support/places.js';
import { type Child, runToEnd, startChild } from '../support/process.js';

const TIMING = `interval = "50ms"
fast_interval = "50ms"
down_interval = "50ms"
timeout = "5s"
fall = 1
`;

/** What a server makes of what it was sent. */
const MANNERS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `${'.'.repeat(140)}${text}`,
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('hex').toUpperCase(),
  (text) => encodeURIComponent(text),
  (text) => JSON.stringify(text),
];

/** How servers of one protocol answer with a text of theirs. */
const TONGUES = {
  plain: (told: string, socket: Socket) => socket.end(`-ERR what is ${told}?\r\n`),
  redis: (told: string, socket: Socket) => socket.end(`-NOPERM no: ${told}\r\n`),
  'honest redis': (_: string, socket: Socket, heard: string) =>
    socket.write(heard.includes('PING') ? '+PONG\r\n' : '+OK\r\n'),
  'redis, later': (told: string, socket: Socket, heard: string) =>
    heard.includes('PING') ? socket.end(`-DENIED no: ${told}\r\n`) : socket.write('+OK\r\n'),
  http: (told: string, socket: Socket) => socket.end(`HTTP/1.1 500 no ${told}\r\n\r\n`),
  postgres: (told: string, socket: Socket, heard: string) =>
    heard.includes('sluice\0\0') && !heard.includes('p\0\0\0')
      ? socket.write(pgMessage('R', heard.includes('md5er') ? 5 : 3, 'salt'))
      : socket.end(pgMessage('E', `SFATAL\0C28P01\0Mwho is ${told}?\0\0`)),
} as const;

interface Planted {
  readonly canary: string;
  readonly tongue: keyof typeof TONGUES | 'datagrams';
  /** The lines of [health]. */
  readonly probe: string;
}

function planted(folder: string): Readonly<Record<string, Planted>> {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `${text}\n`);
    chmodSync(path, 0o644);
    return path;
  };
  const login = (kind: string, canary: string, more = ''): string =>
    `probe = "${kind}"\nuser = "app"\npassword_file = "${file(canary, canary)}"\n${more}`;
  const row = (canary: string, tongue: Planted['tongue'], probe: string): Planted => ({
    canary,
    tongue,
    probe,
  });
  return {
    send: row(
      'q7sendk3v9x2m1',
      'plain',
      'probe = "send-expect"\nsend = \'AUTH q7sendk3v9x2m1\\r\\n\'\nexpect = "+OK"',
    ),
    steps: row(
      'q7stepk3v9x2m2',
      'plain',
      'probe = "send-expect"\nsteps = [{ send = "LOGIN u q7stepk3v9x2m2\\r\\n", expect = "+OK" }]',
    ),
    path: row('q7pathk3v9x2m3', 'http', 'probe = "http"\npath = "/health?token=q7pathk3v9x2m3"'),
    redis: row('q7redik3v9x2m4', 'redis', login('redis', 'q7redik3v9x2m4')),
    'redis-later': row('q7latek3v9x2m5', 'redis, later', login('redis', 'q7latek3v9x2m5')),
    'redis-env': row(
      'q7envik3v9x2m6',
      'redis',
      'probe = "redis"\npassword_env = "SLUICE_TEST_CANARY"',
    ),
    'pg-clear': row(
      'q7cleak3v9x2m7',
      'postgres',
      login('postgres', 'q7cleak3v9x2m7', 'allow_cleartext_password = true'),
    ),
    'pg-refused': row('q7refuk3v9x2m8', 'postgres', login('postgres', 'q7refuk3v9x2m8')),
    'pg-md5': row(
      'q7md5xk3v9x2m9',
      'postgres',
      login('postgres', 'q7md5xk3v9x2m9').replace('"app"', '"md5er"'),
    ),
    datagram: row(
      'q7dgrak3v9x2m0',
      'datagrams',
      'probe = "udp"\nsend = "key q7dgrak3v9x2m0"\nexpect = "yes"',
    ),
  };
}

t.test('no output shows a secret, whatever servers make of it', async (t) => {
  const folder = tempFolder(t);
  const pools = planted(folder);
  const canaries = Object.values(pools).map(({ canary }) => canary);
  const heard = new Map<string, string>();
  const sections: string[] = [];
  for (const [name, { tongue, probe }] of Object.entries(pools)) {
    for (const [index, manner] of MANNERS.entries()) {
      const pool = `${name}-${index}`;
      // Everything, for the connection that was opened last may have said little yet.
      const hear = (said: string): void => void heard.set(pool, (heard.get(pool) ?? '') + said);
      const port =
        tongue === 'datagrams'
          ? await answerDatagrams(t, manner, hear)
          : await answer(t, TONGUES[tongue], manner, hear);
      sections.push(`[pools.${pool}.health]\n${TIMING}${probe}
[[pools.${pool}.backends]]
address = "127.0.0.1:${port}"
`);
    }
  }
  const file = join(folder, 'sluice.toml');
  const honest = await answer(t, TONGUES['honest redis'], String, () => {});
  const open = join(folder, 'open');
  writeFileSync(open, canaries[0] ?? '', { mode: 0o644 });
  sections.push(`[pools.honest.health]\n${TIMING}probe = "redis"\npassword_file = "${open}"
[[pools.honest.backends]]\naddress = "127.0.0.1:${honest}"
`);
  const text = `[daemon]\nengine = "${ENGINE}"\nworkers = 1\n[log]\nlevel = "trace"\naccess = "all"
[admin]\nhttp = "127.0.0.1:0"\n[listeners.a]\nbind = "0.0.0.0:0"\npool = "send-0"
${sections.join('')}`;
  writeFileSync(file, text);
  const daemon = startChild(t, process.execPath, [BINARY, 'run', '-c', file], {
    env: { SLUICE_TEST_CANARY: 'q7envik3v9x2m6' },
  });
  const seen: string[] = [];
  for (const pool of Object.keys(pools).flatMap((name) => MANNERS.map((_, i) => `${name}-${i}`))) {
    await event(daemon, 'backend-down', `"pool":"${pool}"`);
  }
  await event(daemon, 'probe-note', 'mode 0644');
  for (const [name, { canary }] of Object.entries(pools).filter(([name]) => !isHidden(name))) {
    for (const pool of MANNERS.map((_, index) => `${name}-${index}`)) {
      // A backend may be down for another reason first, when the machine is slow.
      await eventually(`${pool} was sent its secret`, () =>
        heard.get(pool)?.includes(canary) === true ? true : undefined,
      );
    }
  }
  for (const path of ['/health', '/metrics', '/ready', '/']) seen.push(await page(daemon, path));
  // Every secret at a wrong place.
  const bad = text
    .replaceAll(/probe = "[a-z-]+"/g, 'probe = "tcp"')
    .replaceAll(/(send|path|password_file|password_env) = (["'])/g, '$1 = $2\\q ');
  writeFileSync(file, bad);
  const check = await runToEnd(process.execPath, [BINARY, 'check', '-c', file]);
  t.equal(check.code, 1);
  daemon.signal('SIGHUP');
  await event(daemon, 'reload-failed', '');
  await daemon.stop();
  seen.push(check.stdout, check.stderr, ...daemon.stdout.past, ...daemon.stderr.past);
  for (const canary of canaries) {
    t.same(seen.flatMap((output) => leaksOf(canary, output)).slice(0, 3), [], canary);
  }
  for (const [name, { canary }] of Object.entries(pools).filter(([name]) => isHidden(name))) {
    const said = MANNERS.map((_, index) => heard.get(`${name}-${index}`) ?? '');
    t.same(
      said.filter((one) => one.includes(canary)),
      [],
      `${name} was not sent`,
    );
  }
  t.match(daemon.stdout.past.join('\n'), 'asks for the password in clear');
});

/** A password that is not sent, or not in clear. */
function isHidden(pool: string): boolean {
  return pool.startsWith('pg-refused') || pool.startsWith('pg-md5');
}

async function answer(
  t: Test,
  speak: (told: string, socket: Socket, heard: string) => unknown,
  manner: (text: string) => string,
  hear: (said: string) => void,
): Promise<number> {
  const server = createServer((socket) => {
    let heard = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard += bytes.toString();
      hear(bytes.toString());
      const told = manner(heard.replace(/^[\s\S]*p\0\0\0./, '').replace(/[\r\n\0]+/g, ' '));
      speak(told, socket, heard);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return portOf(server.address());
}

async function answerDatagrams(
  t: Test,
  manner: (text: string) => string,
  hear: (said: string) => void,
): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    hear(String(message));
    socket.send(manner(String(message)), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  return portOf(socket.address());
}

function portOf(address: unknown): number {
  return present(address as { port: number } | null, 'a bound address').port;
}

function event(daemon: Child, name: string, part: string): Promise<string> {
  return daemon.stdout.first(
    `${name} ${part}`,
    (line) => line.includes(`"event":"${name}"`) && line.includes(part),
  );
}

async function page(daemon: Child, path: string): Promise<string> {
  const line = await event(daemon, 'admin-listening', '');
  const { address } = JSON.parse(line) as { readonly address: string };
  return (await httpGet(`http://${address}${path}`)).body;
}
