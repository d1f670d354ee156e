/** What becomes of sessions when their backend is no longer what the pool wants. */
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startDaemon } from '../support/daemon.js';
import { nowMs } from '../support/deadline.js';
import { QUICK_HEALTH, serviceText } from '../support/settings.js';
import { dial, type Wire } from '../support/wire.js';

const SESSIONS = 30;
/** From the verdict to the last end, beside other tests; `drain_spread` would take 30 s. */
const AT_ONCE_MS = 3_000;

t.test('the sessions of a demoted primary end at once', async (t) => {
  const { wires, endedMs } = await demoted(t, 'on_down = "close"');
  const last = Math.max(...endedMs);
  t.equal(endedMs.length, wires.length);
  t.ok(last < AT_ONCE_MS, `the last of ${SESSIONS} sessions ends after ${Math.round(last)} ms`);
});

t.test('on_down_spread spreads their ends, whatever drain_spread is', async (t) => {
  const lines = 'on_down = "close"\non_down_spread = "3s"\ndrain_spread = "0s"';
  const { endedMs } = await demoted(t, lines);
  const [first, last] = [Math.min(...endedMs), Math.max(...endedMs)];
  t.ok(last - first > 2_000, `from ${Math.round(first)} to ${Math.round(last)} ms`);
  t.ok(last < 3_000 + AT_ONCE_MS, `the last after ${Math.round(last)} ms`);
});

/** Opens sessions, lets the server become a replica, and measures when each of them ends. */
async function demoted(
  t: Test,
  lines: string,
): Promise<{ readonly wires: readonly Wire[]; readonly endedMs: readonly number[] }> {
  const server = await startServer(t);
  const daemon = await startDaemon(t, {
    workers: 2,
    toml: serviceText({
      name: 'db',
      backends: [server],
      lines,
      health: QUICK_HEALTH.replace('"tcp"', '"send-expect"\nsend = "role?"\nexpect = "primary"'),
    }),
  });
  await daemon.backendsUp('db', 1);
  const port = await daemon.port('db');
  const wires = await Promise.all(Array.from({ length: SESSIONS }, () => dial(t, { port })));
  await Promise.all(
    wires.map(async (wire) => {
      await wire.send('hello');
      t.equal(await wire.readText(5), 'hello');
    }),
  );
  const endings = Promise.all(wires.map((wire) => wire.ended.then(() => nowMs())));
  server.role = 'replica';
  await daemon.event('backend-down');
  const downMs = nowMs();
  return { wires, endedMs: (await endings).map((atMs) => atMs - downMs) };
}

/** Answers `role?` with its role and echoes everything else; what changes is `role`. */
async function startServer(t: Test): Promise<{ readonly address: string; role: string }> {
  const sockets = new Set<Socket>();
  const state = { address: '', role: 'primary' };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      socket.write(chunk.toString() === 'role?' ? state.role : chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  state.address = `127.0.0.1:${bound.port}`;
  return state;
}
