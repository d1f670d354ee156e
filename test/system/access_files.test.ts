/** Files of access lists as they come: bad, gone, huge, half written. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Operated, startOperated } from '../support/ctl.js';
import type { Daemon } from '../support/daemon.js';
import { atRate, eventually, nowMs } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { tryDial } from '../support/wire.js';

const MIB = 1_048_576;

/** Whether a client at 127.0.0.7 is served. */
async function isServed(daemon: Daemon): Promise<boolean> {
  const wire = await tryDial({ port: await daemon.port('files'), localAddress: '127.0.0.7' });
  if (typeof wire === 'string') return false;
  const answer = await wire
    .send('hello')
    .then(() => wire.read(5))
    .then(String, () => 'nothing');
  wire.socket.destroy();
  return answer === 'hello';
}

interface Scene extends Operated {
  readonly file: string;
}

/** A daemon that denies what stands in `file`, which is 127.0.0.7. */
async function scene(t: Test): Promise<Scene> {
  const file = join(tempFolder(t), 'denied.txt');
  writeFileSync(file, '127.0.0.7\n');
  const echoes = await startEchoes(t, 1);
  const operated = await startOperated(t, {
    toml:
      poolText({ name: 'echo', backends: echoes }) +
      listenerText({ name: 'files', pool: 'echo', lines: `access.deny_files = ["${file}"]` }),
  });
  await operated.daemon.backendsUp('echo', 1);
  return { ...operated, file };
}

/** What a file of a list must not be, and what is said about it. */
const BAD: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  ['a pipe', (path) => execFileSync('mkfifo', [path]), /: it is a pipe/],
  ['a folder', (path) => mkdirSync(path), /: it is a directory/],
  [
    'one long line',
    (path) => writeFileSync(path, Buffer.alloc(60 * MIB, '/')),
    /:1: longer than 4096 bytes/,
  ],
  ['too much', (path) => writeFileSync(path, Buffer.alloc(65 * MIB, '\n')), /longer than 64 MiB/],
  ['zeros', (path) => writeFileSync(path, Buffer.alloc(100)), /:1: \?{60}: not an address/],
  [
    'UTF-16',
    (path) => writeFileSync(path, '\ufeff127.0.0.8\n', 'utf16le'),
    /:1: it is text in UTF-16/,
  ],
  ['nothing', () => {}, /no such file/],
];

t.test('what is no list leaves the old one in use, and a reload of it is refused', async (t) => {
  const { daemon, ctl, file } = await scene(t);
  for (const [what, make, why] of BAD) {
    const kept = daemon.nextEvent('access-list-kept', ({ detail }) => why.test(String(detail)));
    make(`${file}.new`);
    rmSync(file, { recursive: true, force: true });
    if (what !== 'nothing') renameSync(`${file}.new`, file);
    await kept;
    // The watch has seen it, and what is in use is another one.
    const { code, stderr } = await ctl('reload', '--dry-run');
    t.match({ code, stderr }, { code: 1, stderr: why }, what);
    t.notOk(await isServed(daemon), `the old list holds: ${what}`);
  }
  t.match(await ctl('reload'), { code: 1, stderr: /no such file/ });
  const { stdout: status } = await ctl('status');
  t.match(status, /^! listener \S+ keeps its access list of before: .*no such file/m);
  writeFileSync(file, '\ufeff# written on Windows\r\n127.0.0.8\r\n');
  t.match(await daemon.nextEvent('access-list-changed'), { listener: 'files', count: 1 });
  await eventually('the list holds', async () => ((await isServed(daemon)) ? true : undefined));
  t.match(await ctl('reload'), { code: 0 });
});

t.test('a list that is written in place is read when it stands still', async (t) => {
  const { daemon, file } = await scene(t);
  const changed = daemon.nextEvent('access-list-changed');
  writeFileSync(file, '');
  const asked: Promise<boolean>[] = [];
  await atRate(20, 3_000, () => {
    asked.push(appendFile(file, '# not yet\n').then(() => isServed(daemon)));
  });
  await appendFile(file, '127.0.0.7\n127.0.0.8\n');
  t.match(await changed, { count: 2 });
  const served = (await Promise.all(asked)).filter((one) => one).length;
  t.equal(served, 0, 'a client that is denied before and after, is meanwhile');
  t.notOk(await isServed(daemon));
});

t.test('a file of which only the rights change is no change', async (t) => {
  const folder = tempFolder(t);
  const [same, other] = [join(folder, 'same.txt'), join(folder, 'other.txt')];
  for (const file of [same, other]) writeFileSync(file, '127.0.0.7\n');
  const echoes = await startEchoes(t, 1);
  const lines = (file: string) => `access.deny_files = ["${file}"]`;
  const { daemon } = await startOperated(t, {
    toml:
      poolText({ name: 'echo', backends: echoes }) +
      listenerText({ name: 'same', pool: 'echo', lines: lines(same) }) +
      listenerText({ name: 'other', pool: 'echo', lines: lines(other) }),
  });
  chmodSync(same, 0o640);
  writeFileSync(other, '127.0.0.8\n');
  // Those of the first listener were looked at before.
  await daemon.event('access-list-changed', ({ listener }) => listener === 'other');
  t.equal(daemon.eventsNamed('access-list-changed').length, 1);
  writeFileSync(same, '127.0.0.8\n');
  const changed = await daemon.nextEvent('access-list-changed');
  t.equal(changed['listener'], 'same', 'what is written then is');
});

t.test('a million lines are read while everything else goes on', async (t) => {
  const { daemon, file } = await scene(t);
  const blocks = Array.from({ length: 999_999 }, (_, index) => {
    return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  });
  const changed = daemon.nextEvent('access-list-changed', () => true, 60_000);
  writeFileSync(`${file}.new`, `${blocks.join('\n')}\n127.0.0.7\n`);
  renameSync(`${file}.new`, file);
  let isRead = false;
  void changed.then(() => {
    isRead = true;
  });
  let longestMs = 0;
  let pages = 0;
  for (; !isRead; pages++) {
    const beganMs = nowMs();
    await daemon.get('/healthz');
    longestMs = Math.max(longestMs, nowMs() - beganMs);
  }
  t.match(await changed, { count: 1_000_000 });
  t.comment(`${pages} pages, the slowest after ${Math.round(longestMs)} ms`);
  t.ok(longestMs < 1_000, `a page came after ${Math.round(longestMs)} ms`);
  t.notOk(await isServed(daemon));
});
