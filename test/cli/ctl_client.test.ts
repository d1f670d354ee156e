/** What `sluice ctl` asks again by itself, and what it leaves to its user. */
import { renameSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Client } from '../../src/cli/ctl/client.js';
import { handedOver, problemAnswer, refused } from '../../src/control/api/problem.js';
import { SUCCEEDED } from '../../src/control/change_queue.js';
import { tempFolder } from '../support/places.js';
import { silentEndpoint } from '../support/silent_endpoint.js';

type Reply = 'done' | 'handed over' | 'cut' | 'cut amid the answer' | 'cut late';

/** After a reply that is cut late the command has no time left. */
const LATE_MS = 150;

/** A daemon that answers so, one after the other, and what it was asked. */
async function daemon(t: Test, replies: readonly Reply[]) {
  const asked: string[] = [];
  const path = join(tempFolder(t), 'admin.sock');
  const server = createServer((request, response) => {
    const reply = replies[asked.length];
    asked.push(`${request.method} ${request.url}`);
    if (reply === 'cut') return request.socket.destroy();
    if (reply === 'cut amid the answer') {
      response.writeHead(200, { 'content-length': '100' });
      return response.write('{', () => request.socket.destroy());
    }
    if (reply === 'cut late') return drip(response, performance.now() + LATE_MS);
    const { status, body } = problemAnswer(handedOver('Not done.'));
    if (reply === 'handed over') return response.writeHead(status).end(body);
    return response.end('{"is":"done"}');
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return { client: new Client(path), asked, path };
}

/** Bytes come all the time, and the end of the connection behind them. */
function drip(response: ServerResponse, untilMs: number): void {
  if (performance.now() > untilMs) response.destroy();
  else response.write(' ', () => setImmediate(drip, response, untilMs));
}

const DONE = { is: 'done' };

t.test('what another process is to do is asked again, until that one serves', async (t) => {
  const { client, asked } = await daemon(t, ['handed over', 'handed over', 'done']);
  t.same(await client.post('/release', { pool: 'p' }), DONE);
  t.same(asked, Array(3).fill('POST /v1/release'));
});

t.test('but not beyond the time that the command has', async (t) => {
  const { client, asked } = await daemon(t, ['handed over', 'done']);
  const failure = { message: 'Not done.', more: SUCCEEDED, status: 503 };
  await t.rejects(client.post('/release', { pool: 'p' }, 90), failure);
  t.equal(asked.length, 1);
});

t.test('where as many wait for sluice as may, it is asked again until there is room', async (t) => {
  const path = join(tempFolder(t), 'admin.sock');
  const full = await silentEndpoint({ kind: 'unix', path });
  t.teardown(() => full.close());
  const client = new Client(path);
  const failure = { message: /more wait for sluice .* ask again/i, status: 503 };
  await t.rejects(client.post('/release', { pool: 'p' }, 150), failure);
  const answer = client.post('/release', { pool: 'p' });
  const { path: free, asked } = await daemon(t, ['done']);
  renameSync(free, path);
  t.same(await answer, DONE);
  t.equal(asked.length, 1);
});

t.test('nor is what was cut asked again when the time of the command is over', async (t) => {
  const { client, asked } = await daemon(t, ['cut late', 'done']);
  await t.rejects(client.get('/status', {}, LATE_MS / 2), { message: /sluice (closed|does not)/ });
  t.equal(asked.length, 1);
});

for (const cut of ['cut', 'cut amid the answer'] as const) {
  t.test(`who only looks asks once more when the connection is ${cut}`, async (t) => {
    const { client, asked } = await daemon(t, [cut, 'done', cut, cut]);
    t.same(await client.get('/status'), DONE);
    await t.rejects(client.get('/status'), { message: /closed the connection .*: ask again$/ });
    t.equal(asked.length, 4);
  });

  t.test(`a change is never made twice when the connection is ${cut}`, async (t) => {
    const { client, asked } = await daemon(t, [cut, 'done']);
    await t.rejects(client.post('/kill', { pool: 'p' }), { message: /say whether it was done/ });
    t.equal(asked.length, 1);
  });
}

t.test('a refusal is of this process, or for the one that serves', (t) => {
  t.match(refused('No.', ['full']), { status: 409, kind: 'refused' });
  const moved = { status: 503, kind: 'handed-over', headers: { 'retry-after': '1' } };
  t.match(refused('No.', SUCCEEDED), moved);
  t.end();
});
