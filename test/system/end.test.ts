/** The end of the process comes, whatever readers of its log and servers that it asks do. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startOperated } from '../support/ctl.js';
import { eventually, nowMs, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { type MuteDaemon, type MuteSetup, startMute } from '../support/mute_daemon.js';
import { freePort, tempFolder } from '../support/places.js';
import { program } from '../support/require_server.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial, tryDial, type Wire } from '../support/wire.js';

const SHUTDOWN_MS = 1_000;
/** shutdown_timeout and two seconds. */
const LIMIT_MS = SHUTDOWN_MS + 2_000;
const AT_ONCE_MS = 1_000;
const MAX_LOG_BYTES = 64 * 1024 * 1024;
/** Backends of which the log says twice as many lines. */
const TALKERS = 16_300;

/** The daemon runs with these outputs; a full pipe holds 64 KiB already, pipe(7). */
const OUTPUTS: Readonly<Record<string, string>> = {
  'standard output on a full disk': 'exec "$@" > /dev/full',
  'both outputs on a full disk': 'exec "$@" > /dev/full 2> /dev/full',
  'a full pipe without a reader': fullPipe('exec "$@" > "$FOLDER/pipe"'),
  'full pipes behind both outputs': fullPipe('exec "$@" > "$FOLDER/pipe" 2>&1'),
  'a pipe whose reader is gone':
    'mkfifo "$FOLDER/pipe"; sleep 0.3 < "$FOLDER/pipe" > /dev/null 2>&1 & exec "$@" > "$FOLDER/pipe" 2>&1',
  'closed outputs': 'exec "$@" >&- 2>&-',
};

t.test('however its log is read, it serves, and SIGTERM ends it in time with 0', async (t) => {
  await withEachOutput(t, async (t, shell) => {
    const { daemon, wire, port } = await withSession(t, { shell });
    for (let i = 0; i < 20; i++) t.equal(await exchangeOnce({ port }), null);
    const tookMs = await timeToEnd(t, daemon, ['SIGTERM']);
    t.ok(tookMs > SHUTDOWN_MS * 0.9, 'the session had its time');
    wire.socket.destroy();
  });
});

t.test('however its log is read, a second signal ends it at once', async (t) => {
  await withEachOutput(t, async (t, shell) => {
    const { daemon, wire, port } = await withSession(t, { shell, shutdownTimeout: '60s' });
    daemon.child.signal('SIGTERM');
    await eventually('the stop has begun', async () => {
      const late = await tryDial({ port });
      if (typeof late !== 'string') late.socket.destroy();
      return late === 'ECONNREFUSED' ? true : undefined;
    });
    // Of the minute that it has.
    t.ok((await timeToEnd(t, daemon, ['SIGTERM'])) < LIMIT_MS);
    wire.socket.destroy();
  });
});

/** Three at a time: each daemon starts, has its session and ends. */
async function withEachOutput(
  t: Test,
  act: (t: Test, shell: string) => Promise<void>,
): Promise<void> {
  const left = Object.entries(OUTPUTS);
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, shell] = next;
      t.comment(name);
      await act(t, shell);
    }
  };
  await Promise.all([work(), work(), work()]);
}

t.test('a client of the admin page that asks half a question does not delay the end', async (t) => {
  const { daemon, wire } = await withSession(t, { shell: 'exec "$@"' });
  const [host = '', port = ''] = daemon.admin.split(':');
  const half = connect({ host, port: Number(port) });
  t.teardown(() => half.destroy());
  half.on('error', () => {});
  await once(half, 'connect');
  half.write('GET /metrics HTTP/1.1\r\nHost: ');
  await timeToEnd(t, daemon, ['SIGTERM']);
  wire.socket.destroy();
});

t.test('a name server that does not answer does not delay the end', async (t) => {
  const { daemon, asked } = await withSilentNameServer(t);
  await asked;
  await timeToEnd(t, daemon, ['SIGTERM']);
});

t.test('while a name server does not answer, a second signal ends it at once', async (t) => {
  const { daemon, asked } = await withSilentNameServer(t);
  await asked;
  t.ok((await timeToEnd(t, daemon, ['SIGTERM', 'SIGINT'])) < AT_ONCE_MS);
});

t.test('neither sources nor operators that wait delay the end', async (t) => {
  const mute = createServer((socket) => {
    t.teardown(() => socket.destroy());
    socket.on('error', () => {}).resume();
  });
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.teardown(() => mute.close());
  const silent = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const pipe = join(tempFolder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const sources = [
    `kind = "consul"\nurl = "http://${silent}"\nservice = "pg"\ntoken_file = "${pipe}"`,
    `kind = "etcd"\nurls = ["http://${silent}"]\nprefix = "/pg/"`,
    `kind = "http"\nurl = "http://${silent}/members"`,
    `kind = "sentinel"\naddresses = ["${silent}"]\nmaster = "m"`,
    `kind = "patroni"\nurls = ["http://${silent}"]`,
    `kind = "file"\npath = "${pipe}"`,
  ].map((lines, index) => {
    const sections = `[[pools.far${index}.discovery]]\n${lines}\n`;
    return (
      listenerText({ pool: `far${index}` }) +
      poolText({ name: `far${index}`, backends: [], sections })
    );
  });
  const near = poolText({ name: 'near', backends: await startEchoes(t, 1) });
  for (const signals of [['SIGTERM'], ['SIGTERM', 'SIGTERM']] as const) {
    const { daemon, socket, ctl } = await startOperated(t, {
      shutdownTimeout: `${SHUTDOWN_MS}ms`,
      toml: listenerText({ pool: 'near' }) + near + sources.join(''),
    });
    await daemon.backendsUp('near', 1);
    const wire = await dial(t, { port: await daemon.port('near') });
    await wire.send('x');
    await wire.read(1);
    t.equal((await ctl('hold', 'near')).code, 0);
    await dial(t, { port: await daemon.port('near') });
    for (const text of ['GET /v1/events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n', HALF_ORDER]) {
      const operator = connect({ path: socket });
      t.teardown(() => operator.destroy());
      operator.on('error', () => {});
      await once(operator, 'connect');
      operator.write(text);
    }
    const beganMs = nowMs();
    for (const signal of signals) {
      daemon.signal(signal);
      await daemon.event('stopping');
    }
    t.same(await within('the end', daemon.exited, LIMIT_MS + 2_000), { code: 0, signal: null });
    t.ok(nowMs() - beganMs < (signals.length === 1 ? LIMIT_MS : AT_ONCE_MS), signals.join());
  }
});

const HALF_ORDER = 'POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{';

t.test('a worker that does not answer does not delay the end', async (t) => {
  const hang = `import { existsSync } from 'node:fs';
    import { performance } from 'node:perf_hooks';
    import { isMainThread } from 'node:worker_threads';
    const { now } = performance;
    let calls = 0;
    if (!isMainThread) performance.now = () => {
      while (++calls % 8 === 0 && existsSync(process.env.FOLDER + '/hang'));
      return now.call(performance);
    };`;
  const { daemon, wire } = await withSession(t, {
    shell: 'exec "$@"',
    nodeFlags: ['--import', `data:text/javascript,${encodeURIComponent(hang)}`],
  });
  writeFileSync(`${daemon.folder}/hang`, '');
  await timeToEnd(t, daemon, ['SIGTERM']);
  wire.socket.destroy();
});

t.test(
  'what was lost while the disk was full is counted, and reported when it works again',
  async (t) => {
    const shell = 'exec "$@" > "$FOLDER/pipe"';
    const backends = Array.from({ length: TALKERS }, (_, at) => ({
      address: `127.1.0.1:${at + 1}`,
    }));
    // What they say at the start fills most of the room that the log has.
    const talkers = poolText({ name: 'talkers'.repeat(9), backends, health: 'probe = "none"' });
    const { daemon, wire, port } = await withSession(t, { shell: fullPipe(shell) }, talkers);
    let sent = 0;
    const lost = await eventually(
      'lines are lost',
      async () => {
        await Promise.all(Array.from({ length: 400 }, () => exchangeOnce({ port })));
        sent += 400;
        const text = await daemon.get('/metrics');
        return /^sluice_log_suppressed_total\{event="session"\} (\d+)$/m.exec(text)?.[1];
      },
      60_000,
    );
    t.ok(Number(lost) > 0 && Number(lost) <= sent, `${lost} of ${sent}`);
    const read = `timeout 3 cat ${daemon.folder}/pipe | tr -d '\\0'`;
    const told = execFileSync('sh', ['-c', read], { encoding: 'utf8', maxBuffer: MAX_LOG_BYTES });
    const lines = told.split('\n').filter((line) => line !== '');
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const line = records.find(({ event }) => event === 'log-lost');
    t.ok(Number(line?.['count']) >= Number(lost), 'each line is whole, and one says how many lack');
    await timeToEnd(t, daemon, ['SIGTERM']);
    wire.socket.destroy();
  },
);

/** A reader that holds the pipe open for reading and writing, and reads nothing. */
function fullPipe(shell: string): string {
  return `mkfifo "$FOLDER/pipe"; sleep 600 <> "$FOLDER/pipe" > /dev/null 2>&1 &
    head -c 65536 /dev/zero 1<> "$FOLDER/pipe"; ${shell}`;
}

async function timeToEnd(
  t: Test,
  { child }: MuteDaemon,
  signals: readonly NodeJS.Signals[],
): Promise<number> {
  const beganMs = nowMs();
  for (const signal of signals) child.signal(signal);
  t.same(await within('the end', child.exited, LIMIT_MS + 2_000), { code: 0, signal: null });
  const tookMs = nowMs() - beganMs;
  t.ok(tookMs < LIMIT_MS, `${signals.join(', ')}: ${Math.round(tookMs)} ms`);
  return tookMs;
}

interface WithSession {
  readonly daemon: MuteDaemon;
  readonly wire: Wire;
  readonly port: number;
}

async function withSession(
  t: Test,
  setup: Omit<MuteSetup, 'toml'>,
  further = '',
): Promise<WithSession> {
  const backends = await startEchoes(t, 1);
  const port = await freePort();
  const toml =
    listenerText({ pool: 'echo', bind: `0.0.0.0:${port}` }) + poolText({ name: 'echo', backends });
  const daemon = await startMute(t, { ...setup, toml: toml + further });
  await daemon.serving();
  const wire = await dial(t, { port });
  await wire.send('hello');
  t.equal(await wire.readText(5), 'hello');
  return { daemon, wire, port };
}

/**
 * Backends by name, in a view of the file system where the name server receives and says nothing.
 */
async function withSilentNameServer(
  t: Test,
): Promise<{ readonly daemon: MuteDaemon; readonly asked: Promise<unknown> }> {
  const host = `127.53.${process.pid % 250}.1`;
  const server = createSocket('udp4');
  await new Promise<void>((resolve) => server.bind(53, host, resolve));
  t.teardown(() => server.close());
  const asked = once(server, 'message');
  const shell = `echo 'nameserver ${host}\noptions timeout:10 attempts:3' > "$FOLDER/resolv.conf"
    echo 'hosts: dns' > "$FOLDER/nsswitch.conf"
    exec ${program('unshare')} --mount sh -c 'mount --bind "$FOLDER/resolv.conf" /etc/resolv.conf
    mount --bind "$FOLDER/nsswitch.conf" /etc/nsswitch.conf; exec "$@"' sh "$@"`;
  const names = Array.from({ length: 6 }, (_, i) => ({ address: `backend-${i}.example.org:9` }));
  const toml = listenerText({ pool: 'far' }) + poolText({ name: 'far', backends: names });
  return { daemon: await startMute(t, { shell, toml }), asked };
}
