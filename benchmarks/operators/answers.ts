/**
 * How long an operator waits: lists of many backends and sessions, and changes that are in force at
 * every worker, by the control API of a daemon at rest. How it is measured stands in
 * benchmarks/README.md.
 *
 *   node dist/benchmarks/operators/answers.js [--engine uring|node] [--calls 100]
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { freePort, tempFolder } from '../../test/support/places.js';
import { Child } from '../../test/support/process.js';
import { repositoryRoot } from '../../test/support/repository.js';
import { listenerText, poolText } from '../../test/support/settings.js';
import { OPEN_FILES } from '../macro/peers.js';
import { type Endings, withEndings } from '../support/endings.js';
import { describeMachine } from '../support/machine.js';

const WORKERS = 2;
const SESSIONS = 9_000;
const AT_ONCE = 100;
const BACKENDS = [1_000, 10_000] as const;

interface Operated {
  readonly port: number;
  readonly ask: (method: 'GET' | 'POST', path: string, body?: object) => Promise<number>;
}

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'uring' },
    calls: { type: 'string', default: '100' },
  },
});
const calls = Number(values.calls);
process.stdout.write(`${describeMachine()}\nengine ${values.engine}; median, p90, p99 in ms\n`);
for (const count of BACKENDS) await withEndings((scope) => changes(scope, 'p2c', count));
// Its table is laid out anew by each worker.
await withEndings((scope) => changes(scope, 'source-hash', 1_000));
await withEndings(sessions);
process.exit();

async function changes(
  scope: Endings,
  policy: 'p2c' | 'source-hash',
  count: number,
): Promise<void> {
  const { ask } = await start(scope, policy, count);
  const backends = ['many/b7'];
  const row = (what: string) => `${what}, ${count} backends, ${policy}`;
  if (policy === 'p2c') {
    await measured(row('status'), () => ask('GET', '/v1/status'));
    await measured(row('backends'), () => ask('GET', `/v1/backends?limit=${count}`));
    const drain = (call: number) => ask('POST', call % 2 ? '/v1/ready' : '/v1/drain', { backends });
    await measured(row('drain, ready'), drain);
  }
  const weight = (call: number) => ask('POST', '/v1/weight', { backends, value: 1 + (call % 50) });
  await measured(row('weight'), weight);
}

async function sessions(scope: Endings): Promise<void> {
  const { ask, port } = await start(scope, 'p2c', 1);
  for (let open = 0; open < SESSIONS; open += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => openSession(port)));
  }
  for (const sort of ['age', 'bytes', 'idle']) {
    const path = `/v1/sessions?sort=${sort}&limit=${SESSIONS}`;
    await measured(`sessions, ${SESSIONS} by ${sort}`, () => ask('GET', path));
  }
}

async function openSession(port: number): Promise<void> {
  const client = connect(port, '127.0.0.1');
  client.write('x');
  await once(client, 'data');
}

/** The figures of `calls` calls, after as many that warm up. */
async function measured(name: string, call: (index: number) => Promise<number>): Promise<void> {
  const tookMs: number[] = [];
  for (let index = 0; index < 2 * calls; index++) {
    const ms = await call(index);
    if (index >= calls) tookMs.push(ms);
  }
  tookMs.sort((a, b) => a - b);
  const [median, p90, p99] = [0.5, 0.9, 0.99].map((part) => tookMs[Math.floor(part * calls)] ?? 0);
  const figures = [median, p90, p99].map((ms) => (ms ?? 0).toFixed(2).padStart(8)).join('');
  process.stdout.write(`${name.padEnd(44)}${figures}\n`);
}

/** All backends are one server, at many addresses; what changes is not written to a disk. */
async function start(scope: Endings, policy: string, count: number): Promise<Operated> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(0, '0.0.0.0', 4_096);
  await once(server, 'listening');
  scope.teardown(() => server.close());
  const { port: target } = server.address() as AddressInfo;
  const folder = tempFolder(scope);
  const [port, socket] = [await freePort(), join(folder, 'admin.sock')];
  const backends = Array.from({ length: count }, (_, index) => ({
    name: `b${index}`,
    address: `127.1.${index >> 8}.${index & 255}:${target}`,
  }));
  const file = join(folder, 'sluice.toml');
  writeFileSync(
    file,
    `[daemon]\nengine = "${values.engine}"\nworkers = ${WORKERS}\nstate_directory = ""\n` +
      `[admin]\nhttp = ""\nsocket = "${socket}"\n` +
      listenerText({ pool: 'many', bind: `127.0.0.1:${port}` }) +
      poolText({ name: 'many', policy, backends, health: 'probe = "none"' }),
  );
  const args = [join(repositoryRoot, 'bin/sluice'), 'run', '-c', file];
  const child = new Child(process.execPath, args, { openFiles: OPEN_FILES });
  scope.teardown(() => child.stop('SIGKILL'));
  await child.stdout.first('the daemon', (line) => line.includes('"event":"ready"'));
  const agent = new Agent({ keepAlive: true });
  scope.teardown(() => agent.destroy());
  return { port, ask: (method, path, body) => askOnce({ socket, agent, method, path, body }) };
}

interface Question {
  readonly socket: string;
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
}

/** How long until all of the answer was there. */
async function askOnce({ socket, agent, method, path, body }: Question): Promise<number> {
  const fromMs = performance.now();
  const asked = request({ socketPath: socket, agent, method, path });
  if (body === undefined) asked.end();
  else {
    const bytes = JSON.stringify(body);
    asked.setHeader('content-type', 'application/json');
    asked.setHeader('content-length', Buffer.byteLength(bytes));
    asked.end(bytes);
  }
  const [response] = await once(asked, 'response');
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${answer}`);
  return performance.now() - fromMs;
}
