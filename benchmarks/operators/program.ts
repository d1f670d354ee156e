/**
 * Operators: a number of open pages, which follow `/v1/live`, and of questions per second, each
 * over a connection of its own as `sluice ctl` asks. Prints a line when all pages have had their
 * first look and the questions were asked so often that the daemon has compiled their answers, and
 * runs until it is ended. It shares a core with the load: it writes bytes that were made before,
 * and reads answers without parsing them.
 *
 *   node program.js HTTP_PORT SOCKET PAGES CALLS_PER_SECOND CALLS_BEFORE
 */
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';

/** What operators ask most, in turns. */
const QUESTIONS = ['/v1/status', '/v1/pools', '/v1/backends', '/v1/sessions?limit=100'].map(
  (path) => ({ path, bytes: requestBytes(path, '') }),
);
const STEP_MS = 50;

const [port, socketPath = '', pages, callsASecond, callsBefore] = process.argv.slice(2);
for (let call = 0; call < Number(callsBefore); call++) await ask(call);
await Promise.all(Array.from({ length: Number(pages) }, openPage));
process.stdout.write('ready\n');

const beganMs = performance.now();
let asked = 0;
setInterval(() => {
  const due = ((performance.now() - beganMs) / 1000) * Number(callsASecond);
  for (; asked < due; asked++) void ask(asked);
}, STEP_MS);

/** Resolves with its first look. */
async function openPage(): Promise<void> {
  const bytes = requestBytes('/v1/live', 'Accept: text/event-stream\r\n');
  const page = exchange({ host: '127.0.0.1', port: Number(port) }, bytes, '/v1/live');
  page.once('close', () => fail('a page was cut'));
  await once(page, 'data');
}

/** Resolves when all of the answer has come. */
async function ask(call: number): Promise<void> {
  const question = QUESTIONS[call % QUESTIONS.length];
  if (question === undefined) throw new Error('there are questions');
  await once(exchange({ path: socketPath }, question.bytes, question.path), 'close');
}

function exchange(place: NetConnectOpts, bytes: Buffer, path: string) {
  const socket = connect(place);
  socket.once('data', (first: Buffer) => {
    if (!first.toString('latin1', 0, 12).endsWith(' 200')) fail(`${path}: ${first.toString()}`);
  });
  socket.on('error', (error) => fail(`${path}: ${error.message}`));
  socket.resume();
  socket.write(bytes);
  return socket;
}

function requestBytes(path: string, header: string): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}\r\n`,
  );
}

function fail(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
