/** Paths that users name: whatever is there, the answer comes, and says why. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import {
  bounded,
  type FileRead,
  lookAtUserFile,
  readsHang,
  readUserFile,
} from '../../src/files/user_file.js';

const dir = t.testdir({ 'ten.txt': '0123456789', folder: {} });
const ten = join(dir, 'ten.txt');
const pipe = join(dir, 'pipe');
const socket = join(dir, 'socket');
const fed = join(dir, 'fed');
execFileSync('mkfifo', [pipe, fed]);

const ENDLESS = new AbortController().signal;
const READ: FileRead = { kind: 'read', bytes: new Uint8Array(0), mode: 0 };

const read = (path: string, maxBytes = 10): Promise<FileRead> =>
  readUserFile(path, { maxBytes, signal: ENDLESS, tried: 'once' });

async function codeOf(path: string, maxBytes?: number): Promise<string> {
  const answer = await read(path, maxBytes);
  return answer.kind === 'read' ? Buffer.from(answer.bytes).toString() : answer.code;
}

t.test('a regular file is read up to its limit, and no device is', async (t) => {
  const server = createServer().listen(socket);
  t.teardown(() => server.close());
  t.equal(await codeOf(ten), '0123456789');
  t.equal(await codeOf(ten, 9), 'EFBIG');
  t.equal(await codeOf('/proc/sys/kernel/ostype', 100), 'Linux\n', 'without a size');
  for (const path of ['/dev/zero', '/dev/null', '/dev/tty', '/dev/ptmx', socket]) {
    t.equal(await codeOf(path), 'ENODATAFILE', path);
  }
  t.equal(await codeOf(join(dir, 'folder')), 'EISDIR');
  t.equal(await codeOf(join(dir, 'nothing')), 'ENOENT');
});

t.test('what a path is can be asked without reading it', async (t) => {
  const look = (path: string) => lookAtUserFile(path, { signal: ENDLESS, tried: 'once' });
  chmodSync(ten, 0o640);
  t.equal(await look(ten), 'readable');
  chmodSync(ten, 0o644);
  t.equal(await look(ten), 'exposed', 'every user may read it');
  t.equal(await look(join(dir, 'nothing')), 'missing');
  t.equal(await look('/dev/zero'), 'no-file');
  chmodSync(pipe, 0o640);
  t.equal(await look(pipe), 'readable');
});

t.test('a pipe is read to its end; one that is silent, only for as long as may be', async (t) => {
  const limit = new AbortController();
  const silent = readUserFile(pipe, { maxBytes: 10, signal: limit.signal, tried: 'once' });
  limit.abort();
  t.match(await silent, { kind: 'failed', code: 'ETIMEDOUT' });
  const exited = once(spawn('sh', ['-c', `printf abc > '${fed}'`]), 'exit');
  t.equal(await codeOf(fed), 'abc');
  await exited;
});

t.test('reads that hang are given up, and only a few may be under way', async (t) => {
  const limit = new AbortController();
  const come: (() => void)[] = [];
  const hang = (path: string, tried: 'again' | 'once') =>
    bounded(path, { signal: limit.signal, tried }, async () => {
      await new Promise<void>((resolve) => come.push(resolve));
      return READ;
    });
  const first = [hang('/nfs/a', 'again'), hang('/nfs/b', 'again')];
  t.notOk(readsHang(), 'they may yet come');
  limit.abort();
  for (const one of first) t.match(await one, { code: 'ETIMEDOUT' });
  t.ok(readsHang());
  const good = async (path: string, tried: 'again' | 'once') => {
    const bounds = { signal: ENDLESS, tried };
    const answer = await bounded(path, bounds, async () => READ);
    return answer.kind === 'read' ? 'read' : answer.code;
  };
  t.equal(await good('/nfs/a', 'again'), 'EHUNG', 'not twice');
  t.equal(await good('/etc/c', 'again'), 'EHUNG', 'others need the threads');
  t.equal(await good('/etc/c', 'once'), 'read', 'a reload still can');
  come.shift()?.();
  await new Promise<void>((resolve) => setImmediate(resolve));
  t.equal(await good('/etc/c', 'again'), 'read', 'when one has come back');
  come.shift()?.();
  await new Promise<void>((resolve) => setImmediate(resolve));
  t.notOk(readsHang());
});
