/**
 * HAProxy or nginx, and sluice with the translation of the same file, in front of the same servers:
 * the same shares, the same failover, the same refusals.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BINARY, startDaemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { freePort, tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { startHaproxy } from '../support/servers/haproxy.js';
import { startNginx } from '../support/servers/nginx.js';

/** A server that says its name and ends. */
class Named {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(t: Test, name: string): Promise<Named> {
    const server = createServer((socket) => socket.on('error', () => {}).end(name));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    return new Named(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
  }
}

/** The server that answers at `port`, or `none`. */
function ask(port: number): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text === '' ? 'none' : text));
  });
  return within('an answer', answer);
}

/** How often each answers, one question after the other. */
async function shares(port: number, questions: number): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {};
  for (let i = 0; i < questions; i++) {
    const name = await ask(port);
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

/** Waits until each of both answers so. */
async function bothAnswer(
  ports: readonly number[],
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  const questions = Object.values(expected).reduce((sum, count) => sum + count, 0);
  for (const port of ports) {
    await eventually(`shares as ${JSON.stringify(expected)}`, async () => {
      const found = await shares(port, questions);
      const isSame = Object.keys({ ...found, ...expected }).every(
        (name) => found[name] === expected[name],
      );
      if (!isSame) throw new Error(JSON.stringify(found));
      return true;
    });
  }
}

/** The translation of `text`, by the command. */
async function translated(t: Test, kind: 'haproxy' | 'nginx', text: string): Promise<string> {
  const file = join(tempFolder(t), 'source');
  writeFileSync(file, text);
  const { code, stdout, stderr } = await runToEnd(process.execPath, [BINARY, 'import', kind, file]);
  t.equal(code, 0, stderr);
  return stdout;
}

t.test('a translated HAProxy file gives the same shares, failover and refusals', async (t) => {
  const [a, b, c] = [
    await Named.start(t, 'a'),
    await Named.start(t, 'b'),
    await Named.start(t, 'c'),
  ];
  const sections = (port: number): string => `
defaults
  mode tcp
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  default-server check inter 100ms fall 2 rise 1
listen service
  bind 127.0.0.1:${port}
  balance roundrobin
  server a ${a.address} weight 2
  server b ${b.address}
  server c ${c.address} backup
`;
  const own = await freePort();
  await startHaproxy(t, sections(own));
  const daemon = await startDaemon(t, {
    toml: await translated(t, 'haproxy', sections(await freePort())),
  });
  await daemon.backendsUp('service', 3);
  const ports = [own, await daemon.port('service')];
  await bothAnswer(ports, { a: 6, b: 3 });
  a.stop();
  await bothAnswer(ports, { b: 4 });
  b.stop();
  await bothAnswer(ports, { c: 4 });
  c.stop();
  await bothAnswer(ports, { none: 3 });
});

t.test('a translated nginx file gives the same shares, failover and refusals', async (t) => {
  const [a, b, c] = [
    await Named.start(t, 'a'),
    await Named.start(t, 'b'),
    await Named.start(t, 'c'),
  ];
  const block = (port: number): string => `stream {
  upstream service {
    server ${a.address} weight=2 fail_timeout=1s;
    server ${b.address} fail_timeout=1s;
    server ${c.address} backup;
  }
  server { listen 127.0.0.1:${port}; proxy_pass service; }
}
`;
  const own = await freePort();
  await startNginx(t, block(own));
  const daemon = await startDaemon(t, {
    toml: await translated(t, 'nginx', block(await freePort())),
  });
  const ports = [own, await daemon.port('service')];
  await bothAnswer(ports, { a: 6, b: 3 });
  a.stop();
  await bothAnswer(ports, { b: 4 });
  b.stop();
  await bothAnswer(ports, { c: 4 });
  c.stop();
  await bothAnswer(ports, { none: 3 });
});
