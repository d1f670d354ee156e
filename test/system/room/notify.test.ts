/** What systemd is sent, and when nothing is. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  createNotifier,
  holdingNotifier,
  type NotifyEnvironment,
  spawnSender,
  watchdogIntervalMs,
} from '../../../src/system/notify.js';

function recorded(env: NotifyEnvironment) {
  const sent: { path: string; text: string }[] = [];
  const notifier = createNotifier(env, (path, bytes) => {
    sent.push({ path, text: Buffer.from(bytes).toString() });
  });
  return { notifier, sent };
}

t.test('every step of the life of the daemon is one message', async (t) => {
  const { notifier, sent } = recorded({ NOTIFY_SOCKET: '/run/systemd/notify' });
  notifier.ready();
  notifier.reloading(123_456n);
  notifier.status('2 listeners,\n3 backends');
  notifier.watchdog();
  notifier.stopping();
  notifier.extend(1_500);
  t.same(
    sent.map((message) => message.text),
    [
      'READY=1\n',
      'RELOADING=1\nMONOTONIC_USEC=123456\n',
      'STATUS=2 listeners, 3 backends\n',
      'WATCHDOG=1\n',
      'STOPPING=1\n',
      'EXTEND_TIMEOUT_USEC=1500000\n',
    ],
  );
  t.ok(sent.every((message) => message.path === '/run/systemd/notify'));
});

t.test('sockets are kept and forgotten by a name that systemd accepts', async (t) => {
  const sent: { text: string; descriptors: readonly number[] }[] = [];
  const notifier = createNotifier({ NOTIFY_SOCKET: '/n' }, (_, bytes, descriptors = []) => {
    sent.push({ text: Buffer.from(bytes).toString(), descriptors });
  });
  notifier.keep('tcp/[::1]:80', [8, 9]);
  notifier.forget('tcp/[::1]:80');
  const name = 'FDNAME=tcp%2F%5B%3A%3A1%5D%3A80';
  t.same(sent, [
    { text: `FDSTORE=1\n${name}\nFDPOLL=0\n`, descriptors: [8, 9] },
    { text: `FDSTOREREMOVE=1\n${name}\n`, descriptors: [] },
  ]);
  notifier.forget(`tcp/unix:/${'ü'.repeat(53)}`);
  t.match(sent[2]?.text, /FDNAME=[\x21-\x7e]{255}\n/);
});

t.test('a process is silent before it is the service, and when another one is', async (t) => {
  const { notifier, sent } = recorded({ NOTIFY_SOCKET: '/n' });
  const holding = holdingNotifier(notifier);
  holding.ready();
  t.equal(sent.length, 0);
  holding.release();
  holding.mainPid(7);
  holding.fallSilent();
  holding.stopping();
  t.same(
    sent.map(({ text }) => text),
    ['READY=1\n', 'MAINPID=7\n'],
  );
});

t.test('an abstract socket keeps its @', async (t) => {
  const { notifier, sent } = recorded({ NOTIFY_SOCKET: '@sd/1' });
  notifier.ready();
  t.equal(sent[0]?.path, '@sd/1');
});

t.test('without a socket, or with one that is not UNIX, nothing is sent', async (t) => {
  for (const env of [{}, { NOTIFY_SOCKET: 'vsock:2:1234' }]) {
    const { notifier, sent } = recorded(env);
    notifier.ready();
    t.same(sent, []);
  }
});

t.test('a send that throws does not reach the daemon', async (t) => {
  const notifier = createNotifier({ NOTIFY_SOCKET: '/gone' }, () => {
    throw new Error('ENOENT');
  });
  t.doesNotThrow(() => notifier.ready());
});

t.test('the watchdog is fed twice as often as systemd asks', async (t) => {
  t.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000' }, 7), 15_000);
  t.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7), 15_000);
  t.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7), null);
  t.equal(watchdogIntervalMs({ WATCHDOG_USEC: '0' }, 7), null);
  t.equal(watchdogIntervalMs({}, 7), null);
});

t.test('the command gets each assignment as an argument, in the order of the calls', async (t) => {
  const folder = t.testdir();
  const command = join(folder, 'notify');
  const log = join(folder, 'log');
  const done = join(folder, 'done');
  writeFileSync(
    command,
    `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${log}\n[ "$1" = STOPPING=1 ] && touch ${done}\n`,
  );
  chmodSync(command, 0o755);
  const notifier = createNotifier({ NOTIFY_SOCKET: '/run/n' }, spawnSender(command));
  notifier.reloading(1n);
  notifier.ready();
  notifier.stopping();
  while (!existsSync(done)) await new Promise((resolve) => setImmediate(resolve));
  t.equal(
    readFileSync(log, 'utf8'),
    '/run/n RELOADING=1 MONOTONIC_USEC=1\n/run/n READY=1\n/run/n STOPPING=1\n',
  );
});
