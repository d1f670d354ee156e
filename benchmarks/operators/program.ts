/**
 * Operators: so many open pages, which follow `/v1/live`, and so many questions a second, each over
 * a connection of its own as `sluice ctl` asks. Prints a line when all pages have had their first
 * look, and runs until it is ended.
 *
 *   node program.js HTTP_PORT SOCKET PAGES CALLS_A_SECOND
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

/** What operators ask most, in turns. */
const QUESTIONS = ['/v1/status', '/v1/pools', '/v1/backends', '/v1/sessions?limit=100'];
const STEP_MS = 50;

const [port, socketPath, pages, callsASecond] = process.argv.slice(2);
await Promise.all(Array.from({ length: Number(pages) }, openPage));
process.stdout.write('ready\n');

const beganMs = performance.now();
let asked = 0;
setInterval(() => {
  const due = ((performance.now() - beganMs) / 1000) * Number(callsASecond);
  for (; asked < due; asked++) void ask(QUESTIONS[asked % QUESTIONS.length] ?? '');
}, STEP_MS);

/** Resolves with its first look. */
async function openPage(): Promise<void> {
  const headers = { accept: 'text/event-stream' };
  const stream = await answer(get({ port, path: '/v1/live', headers, agent: false }));
  // From now on it is read, and nothing is kept.
  await once(stream, 'data');
  stream.once('close', () => fail('a page was cut'));
}

async function ask(path: string): Promise<void> {
  const one = await answer(get({ socketPath: socketPath ?? '', path, agent: false }));
  if (one.statusCode !== 200) fail(`${path} was answered ${one.statusCode}`);
  one.resume();
}

async function answer(request: ReturnType<typeof get>): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

function fail(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
