/** What the daemon does at each signal, as its help and README say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { OTHER_SIGNALS, SIGNALS } from '../../src/system/signals.js';
import { BINARY, Daemon, startDaemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { repositoryRoot } from '../support/repository.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

/** How often SIGSTKFLT, the last of the table, has got a handler by then. */
const MOMENTS = { 'before its modules are read': 1, 'before there is a daemon': 2 } as const;

/** Sends `signal` from inside, once the handlers of that moment are there. */
function sentEarly(signal: string, times: number): string {
  return `let left = ${times};
    process.on('newListener', (name) => {
      if (name !== 'SIGSTKFLT' || --left !== 0) return;
      setImmediate(() => process.kill(process.pid, '${signal}'));
    });`;
}

async function daemonWith(t: Test): Promise<Daemon> {
  const backends = await startEchoes(t, 1);
  const daemon = await startDaemon(t, { toml: serviceText({ name: 'echo', backends }) });
  await daemon.backendsUp('echo', 1);
  return daemon;
}

t.test('signals that mean nothing leave a line and change nothing', async (t) => {
  const daemon = await daemonWith(t);
  const port = await daemon.port('echo');
  for (const { signal } of SIGNALS.filter(({ effect }) => effect === 'nothing')) {
    daemon.signal(signal);
    await daemon.event('signal-ignored', (record) => record['signal'] === signal);
    t.equal(await exchangeOnce({ port }), null, signal);
  }
  for (const signal of ['SIGPIPE', 'SIGXFSZ', 'SIGCHLD', 'SIGURG', 'SIGWINCH'] as const) {
    daemon.signal(signal);
    t.equal(await exchangeOnce({ port }), null, signal);
  }
  t.equal(daemon.complaints, '', 'no debugger says that it listens');
  t.same(await daemon.stop(), { code: 0, signal: null });
});

t.test('signals that reload do so, one after the other', async (t) => {
  const daemon = await daemonWith(t);
  for (const { signal } of SIGNALS.filter(({ effect }) => effect === 'reload')) {
    const reloaded = daemon.nextEvent('reloaded');
    daemon.signal(signal);
    await reloaded;
    t.ok(await daemon.event('reloading', (record) => record['signal'] === signal), signal);
  }
});

for (const { signal } of SIGNALS.filter(({ effect }) => effect === 'stop')) {
  t.test(`${signal} stops, says so and ends with 0`, async (t) => {
    const daemon = await daemonWith(t);
    daemon.signal(signal);
    t.match(await daemon.event('stopping'), { signal });
    t.same(await within('the end', daemon.exited, 5_000), { code: 0, signal: null });
  });
}

t.test('what comes while it stops leaves a line, and so does the end by force', async (t) => {
  const daemon = await daemonWith(t);
  const wire = await dial(t, { port: await daemon.port('echo') });
  await wire.send('held');
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 1);
  daemon.signal('SIGTERM');
  await daemon.event('stopping');
  const page = await eventually('the listener closes', async () => {
    const { body } = await daemon.get('/health?format=text');
    return body.includes('closing') ? body : undefined;
  });
  t.match(page, 'sluice stops; its sessions may finish');
  t.notMatch(page, 'no longer in the file');
  daemon.signal('SIGHUP');
  await daemon.event('signal-ignored', (record) => record['signal'] === 'SIGHUP');
  daemon.signal('SIGTERM');
  t.match(await daemon.event('end-forced'), { sessions: 1, detail: /^a second signal; / });
  t.same(await daemon.exited, { code: 0, signal: null });
});

t.test('SIGUSR1 opens no debugger, from the first moment of the process on', async (t) => {
  const backends = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends });
  for (let i = 0; i < 3; i++) {
    const daemon = await startDaemon(t, {
      toml,
      preload: "process.kill(process.pid, 'SIGUSR1');".repeat(1 + i),
    });
    const admin = String((await daemon.event('admin-listening'))['address']);
    const known = [String(await daemon.port('echo')), String(admin.split(':').at(-1))];
    await eventually('nothing listens but for the listener and the admin page', async () => {
      const { stdout } = await runToEnd('ss', ['-Hltnp']);
      const own = stdout.split('\n').filter((line) => line.includes(`pid=${daemon.pid},`));
      const ports = own.map((line) => line.trim().split(/\s+/)[3]?.split(':').at(-1));
      const strange = ports.filter((port) => port === undefined || !known.includes(port));
      if (own.length === 0 || strange.length > 0) throw new Error(own.join(' | '));
      return true;
    });
    await daemon.stop();
  }
});

t.test(
  'a signal while the daemon starts does not kill it, and one that stops ends it',
  async (t) => {
    const backends = await startEchoes(t, 1);
    const toml = serviceText({ name: 'echo', backends });
    const early = ['SIGHUP', 'SIGTERM', 'SIGQUIT', 'SIGALRM'];
    for (const { signal, effect } of SIGNALS.filter((rule) => early.includes(rule.signal))) {
      for (const [moment, times] of Object.entries(MOMENTS)) {
        const setup = { toml, preload: sentEarly(signal, times) };
        const daemon = new Daemon(join(tempFolder(t), 'sluice.toml'), setup);
        t.teardown(() => daemon.end());
        const what = `${signal} ${moment}`;
        if (effect === 'stop') {
          t.same(await within(what, daemon.exited), { code: 0, signal: null }, what);
          continue;
        }
        await daemon.event('ready');
        // Before its modules are read the daemon has not read its file: nothing to do again.
        if (effect === 'reload' && times === 2) await daemon.event('reloaded');
        t.same(await daemon.stop(), { code: 0, signal: null }, what);
      }
    }
  },
);

t.test('`sluice run --help` and README have every signal', async (t) => {
  const help = await runToEnd(process.execPath, [BINARY, 'run', '--help']);
  const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
  for (const { signal, effect, why } of SIGNALS) {
    t.match(help.stdout, new RegExp(`^ +${signal} +${effect} `, 'm'));
    t.match(readFileSync(BINARY, 'utf8'), `'${signal}'`, 'from its first lines on');
    const row = readme.split('\n').find((line) => line.startsWith('|') && line.includes(signal));
    t.match(row ?? '', effect, signal);
    t.ok(why.length > 0);
  }
  for (const { signals } of OTHER_SIGNALS) {
    for (const signal of signals.match(/SIG[A-Z]+/g) ?? []) {
      t.match(help.stdout, signal);
      t.match(readme, signal);
    }
  }
});
