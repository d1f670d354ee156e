/** Files that others write meanwhile: what is read is whole, or nothing is. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStillFile } from '../../src/files/still_file.js';
import { markOfUserFile } from '../../src/files/user_file.js';

const dir = t.testdir({ list: 'one\n', old: 'old\n', folder: {} });
const list = join(dir, 'list');
const { signal } = new AbortController();

/** What was read, and how often it was waited; `meanwhile` is what others do in each wait. */
async function read(path: string, meanwhile: (turn: number) => void = () => {}, maxBytes = 100) {
  let turns = 0;
  const pause = async (): Promise<void> => meanwhile(turns++);
  const wallMs = (): number => Date.now();
  const bounds = { maxBytes, signal, tried: 'once', settleMs: 500, pause, wallMs } as const;
  const read = await readStillFile(path, bounds);
  const got = read.kind === 'read' ? Buffer.concat(read.parts).toString() : read.code;
  return { got, turns, mark: read.kind === 'read' ? read.mark : null };
}

t.test('a file is read when nothing was written to it for a while', async (t) => {
  t.match(await read(list), { got: 'one\n', turns: 1 });
  const written = await read(list, (turn) => {
    if (turn < 3) appendFileSync(list, `${turn}\n`);
  });
  t.match(written, { got: 'one\n0\n1\n2\n', turns: 4 });
  const seen = await markOfUserFile(list, { signal, tried: 'once' });
  t.match(seen, { kind: 'mark', mark: written.mark });
  t.match(await read(list, (turn) => appendFileSync(list, `${turn}\n`)), { got: 'EBUSY' });
});

t.test('one that was written long ago is not waited for', async (t) => {
  const old = join(dir, 'old');
  utimesSync(old, 1_000_000, 1_000_000);
  t.match(await read(old), { got: 'old\n', turns: 0 });
  utimesSync(old, 1_000_000, Date.now() / 1000 + 86_400);
  t.match(await read(old), { got: 'old\n', turns: 1 }, 'the clock of its file system is ahead');
});

t.test('one that is renamed over, or removed, meanwhile stays what it was', async (t) => {
  writeFileSync(list, 'before\n');
  const renamed = await read(list, () => {
    writeFileSync(`${list}.new`, 'after\n');
    renameSync(`${list}.new`, list);
  });
  t.match(renamed, { got: 'before\n', turns: 1 });
  const seen = await markOfUserFile(list, { signal, tried: 'once' });
  t.notMatch(seen, { mark: renamed.mark }, 'the next look finds another one');
  t.match(await read(list, () => rmSync(list)), { got: 'after\n' });
});

t.test('what is no regular file, or too long, is refused at once', async (t) => {
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.match(await read(pipe), { got: 'EPIPEFILE', turns: 0 });
  t.match(await read('/dev/zero'), { got: 'ENODATAFILE' });
  t.match(await read(join(dir, 'folder')), { got: 'EISDIR' });
  t.match(await read(join(dir, 'nothing')), { got: 'ENOENT' });
  writeFileSync(list, Buffer.alloc(101));
  t.match(await read(list), { got: 'EFBIG' });
});
