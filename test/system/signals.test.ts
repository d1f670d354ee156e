/** What the daemon does at each signal, as its help and README say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { OTHER_SIGNALS, SIGNALS } from '../../src/system/signals.js';
import { BINARY, type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { runToEnd } from '../support/process.js';
import { repositoryRoot } from '../support/repository.js';
import { serviceText } from '../support/settings.js';

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
    await eventually('nobody listens but for the listener and the admin page', async () => {
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
      // Sent from inside, when the first module of the daemon has been read.
      const daemon = await startDaemon(t, {
        toml,
        preload: `const { writeSync } = await import('node:fs');
        process.once('newListener', function told(name) {
          if (name === 'SIGSTKFLT') setImmediate(() => process.kill(process.pid, '${signal}'));
          else process.once('newListener', told);
        });`,
      }).catch(() => null);
      if (effect === 'stop') t.equal(daemon, null, `${signal} ended it`);
      else t.ok(daemon?.running, signal);
      await daemon?.stop();
    }
  },
);

t.test('`sluice run --help` and README have every signal', async (t) => {
  const help = await runToEnd(process.execPath, [BINARY, 'run', '--help']);
  const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
  for (const { signal, effect, why } of SIGNALS) {
    t.match(help.stdout, new RegExp(`^ +${signal} +${effect} `, 'm'));
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
