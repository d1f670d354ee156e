/** Bytes: large payloads both ways, slow readers, half-close, resets. */
import t, { type Test } from 'tap';
import { accessLine } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, nowMs, pass, within } from '../support/deadline.js';
import {
  MIB,
  payloadDigest,
  receiveDigest,
  sendPayload,
  takenBytes,
} from '../support/load/payload.js';
import { Child } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { serviceText } from '../support/settings.js';
import { dial, type Wire, WireServer } from '../support/wire.js';

const PAYLOAD_BYTES = 50 * MIB;
const LIMIT_MS = 60_000;
/** What one session may cost at most while both its readers are paused. */
const RSS_GROWTH_BYTES = 24 * MIB;
const PROMPT_TIMES = 15;

t.test('50 MiB each way pass paused readers whole, in bounded memory', async (t) => {
  const { daemon, client, backend } = await connected(t);
  client.socket.pause();
  backend.socket.pause();
  const beforeBytes = daemon.rssBytes();
  const sending = [
    sendPayload(client.socket, PAYLOAD_BYTES, 1),
    sendPayload(backend.socket, PAYLOAD_BYTES, 2),
  ];
  for (const wire of [client, backend]) {
    const taken = await stalled(wire);
    t.ok(taken < PAYLOAD_BYTES * 0.8, `back-pressure reaches the sender after ${taken} bytes`);
  }
  const growth = daemon.rssBytes() - beforeBytes;
  t.ok(growth < RSS_GROWTH_BYTES, `the process grows by ${growth} bytes`);

  const received = [
    receiveDigest(backend.socket, LIMIT_MS),
    receiveDigest(client.socket, LIMIT_MS),
  ];
  client.socket.resume();
  backend.socket.resume();
  await Promise.all(sending);
  t.same(await Promise.all(received), [
    payloadDigest(PAYLOAD_BYTES, 1),
    payloadDigest(PAYLOAD_BYTES, 2),
  ]);
  const line = await accessLine(daemon, 'the transfer', () => true);
  t.match(line, { id: /^\d+-[0-9a-z]{10}$/, bytes_in: PAYLOAD_BYTES, bytes_out: PAYLOAD_BYTES });
});

t.test('50 MiB each way pass tiny socket buffers whole', async (t) => {
  if (!haveServers(t, 'socat')) return;
  const { daemon, server } = await service(t);
  const accepted = server.next();
  const target = `TCP:127.0.0.1:${await daemon.port('echo')},rcvbuf=4096,sndbuf=4096`;
  const client = new Child(program('socat'), ['-t', '60', '-b', '4096', 'STDIO', target], {
    rawOutput: true,
  });
  t.teardown(() => client.kill());
  client.write('!');
  const backend = await accepted;
  await backend.read(1);
  const received = [
    receiveDigest(backend.socket, LIMIT_MS),
    receiveDigest(client.output, LIMIT_MS),
  ];
  await Promise.all([
    sendPayload(client.input, PAYLOAD_BYTES, 3),
    sendPayload(backend.socket, PAYLOAD_BYTES, 4),
  ]);
  t.same(await Promise.all(received), [
    payloadDigest(PAYLOAD_BYTES, 3),
    payloadDigest(PAYLOAD_BYTES, 4),
  ]);
});

t.test('nothing waits for a tick: short and bulk transfers end as soon as they can', async (t) => {
  const { daemon, server } = await service(t);
  const port = await daemon.port('echo');
  // A turn of an engine that has nothing to wake it takes 200 ms.
  for (const [bytes, limitMs] of [
    [64, 60],
    [MIB, 120],
  ] as const) {
    const took: number[] = [];
    for (let i = 0; i < PROMPT_TIMES; i++) {
      const accepted = server.next();
      const beganMs = nowMs();
      const client = await dial(t, { port });
      client.socket.end(Buffer.alloc(bytes, 1));
      const backend = await accepted;
      await backend.ended;
      backend.socket.end('thanks');
      await client.closed;
      took.push(nowMs() - beganMs);
      t.equal(backend.receivedBytes, bytes);
    }
    const medianMs = took.sort((a, b) => a - b)[PROMPT_TIMES >> 1] ?? Number.NaN;
    t.ok(medianMs < limitMs, `${bytes} bytes in ${medianMs.toFixed(1)} ms`);
  }
});

t.test('after the client has finished, the backend may go on for long', async (t) => {
  const { daemon, client, backend } = await connected(t);
  await client.send('question');
  client.finish();
  t.same(await backend.readAll(), { text: 'question', how: 'fin' });
  await pass(2_000);
  await sendPayload(backend.socket, MIB, 5);
  t.equal(await receiveDigest(client.socket, LIMIT_MS), payloadDigest(MIB, 5));
  const line = await accessLine(daemon, 'the session', () => true);
  t.match(line.outcome, { by: 'client', stage: 'relay', cause: 'finished' });
});

t.test('after the backend has finished, the client may go on for long', async (t) => {
  const { daemon, client, backend } = await connected(t);
  await backend.send('greeting');
  backend.finish();
  t.same(await client.readAll(), { text: 'greeting', how: 'fin' });
  await pass(2_000);
  await sendPayload(client.socket, MIB, 6);
  t.equal(await receiveDigest(backend.socket, LIMIT_MS), payloadDigest(MIB, 6));
  const line = await accessLine(daemon, 'the session', () => true);
  t.match(line.outcome, { by: 'backend', stage: 'relay', cause: 'finished' });
});

for (const [first, last] of [
  ['client', 'backend'],
  ['backend', 'client'],
] as const) {
  t.test(
    `what a ${last} sent and closed behind waits for a ${first} that reads later`,
    async (t) => {
      const wires = await connected(t);
      const { daemon, [first]: reader, [last]: sender } = wires;
      await reader.send('done');
      reader.finish();
      t.same(await sender.readAll(), { text: 'done', how: 'fin' });
      reader.socket.pause();
      // More than the buffers of the session hold, and less than those and the kernel's.
      await sendPayload(sender.socket, 3 * MIB, 7);
      await within('the end of the sender', sender.closed);
      await pass(2_500);
      const received = receiveDigest(reader.socket, LIMIT_MS);
      reader.socket.resume();
      t.equal(await received, payloadDigest(3 * MIB, 7));
      const line = await accessLine(daemon, 'the session', () => true);
      t.match(line.outcome, { by: first, stage: 'relay', cause: 'finished' });
    },
  );
}

t.test("a client's reset reaches the backend after the client's last bytes", async (t) => {
  const { daemon, client, backend } = await connected(t);
  await client.send('last words');
  t.equal(await backend.readText(10), 'last words');
  await client.send('more');
  client.reset();
  t.equal((await backend.readAll()).text, 'more');
  t.ok(await backend.wasReset());
  const line = await accessLine(daemon, 'the session', () => true);
  t.match(line.outcome, { by: 'client', stage: 'relay', cause: 'client-reset' });
});

t.test("a backend's reset reaches the client after the backend's last bytes", async (t) => {
  const { daemon, client, backend } = await connected(t);
  await client.send('hello');
  t.equal(await backend.readText(5), 'hello');
  await backend.send('last words');
  backend.reset();
  t.equal((await client.readAll()).text, 'last words');
  t.ok(await client.wasReset());
  const line = await accessLine(daemon, 'the session', () => true);
  t.match(line.outcome, { by: 'backend', stage: 'relay', cause: 'backend-reset' });
});

t.test('bytes in one direction only keep a session from being idle', async (t) => {
  const { daemon, client, backend } = await connected(t, 'idle_timeout = "1s"');
  for (let i = 0; i < 8; i++) {
    await backend.send('tick');
    t.equal(await client.readText(4), 'tick');
    await pass(300);
  }
  const quietMs = nowMs();
  await client.readAll();
  const tookMs = nowMs() - quietMs;
  t.ok(tookMs > 500 && tookMs < 2_500, `closed ${Math.round(tookMs)} ms after the last byte`);
  client.finish();
  backend.finish();
  const line = await accessLine(daemon, 'the idle session', () => true);
  t.match(line.outcome, { by: 'sluice', stage: 'relay', cause: 'idle-timeout' });
});

interface Connected {
  readonly daemon: Daemon;
  readonly client: Wire;
  readonly backend: Wire;
}

/** A client and a backend in the test's hands, joined by the daemon. */
async function connected(t: Test, listenerLines = ''): Promise<Connected> {
  const { daemon, server } = await service(t, listenerLines);
  const accepted = server.next();
  const client = await dial(t, { port: await daemon.port('echo') });
  return { daemon, client, backend: await accepted };
}

async function service(
  t: Test,
  listenerLines = '',
): Promise<{ readonly daemon: Daemon; readonly server: WireServer }> {
  const server = await WireServer.start(t);
  const daemon = await startDaemon(t, {
    access: 'all',
    toml: serviceText(
      { name: 'echo', backends: [server], health: 'probe = "none"' },
      listenerLines,
    ),
  });
  return { daemon, server };
}

/** Waits until the kernel takes no more of what this end writes; gives the bytes taken. */
async function stalled({ socket }: Wire): Promise<number> {
  let last = -1;
  return eventually('the sender stalls', async () => {
    const before = last;
    await pass(250);
    last = takenBytes(socket);
    return last === before ? last : undefined;
  });
}
