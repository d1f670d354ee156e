/**
 * The one way in which a file is read whose path a user named: bounded in size and time. It is a
 * regular file or a pipe; a device is not even opened, because opening alone does things to some.
 *
 * A read that hangs (a network file system whose server is gone) cannot be called back. It holds
 * one of the few threads that read files and resolve names for the whole process, so only some may.
 */
import { constants, fstatSync, open as openRaw, ReadStream, readSync, type Stats } from 'node:fs';
import { access, type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';

/** What of an AbortSignal is used. */
export interface GiveUpSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface ReadBounds {
  readonly maxBytes: number;
  /** Aborts when the time is over. */
  readonly signal: GiveUpSignal;
  /**
   * `again`: it will be tried again soon, so that one hanging read of a path is enough. `once`: an
   * operator asked for it, and may have put another file at the path meanwhile.
   */
  readonly tried: 'again' | 'once';
}

export type FileRead =
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly mode: number }
  | FailedRead;

/** Why not, as a clause that ends a sentence; `code`: of the errno, or ours. */
export interface FailedRead {
  readonly kind: 'failed';
  readonly code: string;
  readonly problem: string;
}

/** Of the four threads of libuv. `once` may have one more, so that probes cannot end reloads. */
const MAX_HUNG = { again: 2, once: 3 } as const;
const CHUNK_BYTES = 65_536;

/** The paths of reads that were given up and have not come back. */
const hung = new Map<symbol, string>();

/** True while a read hangs: then the process does not end by itself. */
export function readsHang(): boolean {
  return hung.size > 0;
}

/** Reads all of `path`. It never rejects, and ends when `signal` aborts at the latest. */
export async function readUserFile(path: string, bounds: ReadBounds): Promise<FileRead> {
  return bounded<FileRead>(path, bounds, () => readAll(path, bounds));
}

/**
 * All of standard input, whatever it is: a pipe, a file, a socket or a terminal. It is waited for,
 * because a user who runs a command there can end it.
 */
export async function readStandardInput(maxBytes: number): Promise<FileRead> {
  const input = standardInput();
  if ('kind' in input) return input;
  try {
    const bytes = await drained(input, maxBytes);
    return bytes.length > maxBytes ? failedRead('EFBIG') : { kind: 'read', bytes, mode: 0 };
  } catch (error) {
    return failedReadOf(error);
  }
}

/** What Node.js cannot read there it replaces by an empty stream, without a word. */
export function standardInput(): ReadStream | Socket | FailedRead {
  const input: object = process.stdin;
  if (input instanceof ReadStream) return input;
  const found = fstatSync(0);
  if (input instanceof Socket) return found.isSocket() ? connected(input) : input;
  return failedRead(found.isDirectory() ? 'EISDIR' : 'ENODATAFILE');
}

/**
 * A socket that listens never has a byte, and is not even readable while no client comes: only
 * read(2) says so. Node.js has opened `input`, so that it does not block.
 */
function connected(input: Socket): Socket | FailedRead {
  const first = Buffer.alloc(1);
  try {
    if (readSync(0, first) > 0) input.unshift(first);
    return input;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EAGAIN') return input;
    // Over TCP and over UNIX sockets.
    return failedRead(code === 'EINVAL' ? 'ENOTCONN' : code);
  }
}

/** What is at `path`: for a warning, before the file is needed. */
export async function lookAtUserFile(
  path: string,
  bounds: Omit<ReadBounds, 'maxBytes'>,
): Promise<'readable' | 'exposed' | 'missing' | 'forbidden' | 'no-file' | 'silent'> {
  const seen = await bounded<FileRead>(path, bounds, async () => {
    const found = await stat(path);
    await access(path, constants.R_OK);
    const code = unfit(found);
    return code === null ? { kind: 'read', bytes: NOTHING, mode: found.mode } : failedRead(code);
  });
  if (seen.kind === 'read') return (seen.mode & constants.S_IROTH) === 0 ? 'readable' : 'exposed';
  if (seen.code === 'EACCES') return 'forbidden';
  if (seen.code === 'EISDIR' || seen.code === 'ENODATAFILE') return 'no-file';
  return seen.code === 'ETIMEDOUT' || seen.code === 'EHUNG' ? 'silent' : 'missing';
}

const NOTHING = new Uint8Array(0);

/**
 * Identifies a file by what it is: equal marks mean the same file with the same content as at
 * another time, however it came to be at `path`: written, renamed, or reached by another symbolic
 * link.
 */
export async function markOfUserFile(
  path: string,
  bounds: Omit<ReadBounds, 'maxBytes'>,
): Promise<{ readonly kind: 'mark'; readonly mark: string } | FailedRead> {
  return bounded(path, bounds, async () => {
    return { kind: 'mark', mark: markOf(await stat(path)) };
  });
}

export function markOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join();
}

/** What differs when an open file was written to; another file over it in its folder is nothing. */
export function stampOf({ size, mtimeMs }: Stats): string {
  return [size, mtimeMs].join();
}

/** `work` on `path`, not waited for longer than `signal` allows. */
export async function bounded<T>(
  path: string,
  { signal, tried }: Omit<ReadBounds, 'maxBytes'>,
  work: () => Promise<T | FailedRead>,
): Promise<T | FailedRead> {
  const known = tried === 'again' && [...hung.values()].includes(path);
  if (known || hung.size >= MAX_HUNG[tried]) return failedRead('EHUNG');
  if (signal.aborted) return failedRead('ETIMEDOUT');
  const token = Symbol(path);
  let giveUp = (): void => {};
  const late = new Promise<FailedRead>((resolve) => {
    giveUp = () => {
      hung.set(token, path);
      resolve(failedRead('ETIMEDOUT'));
    };
    signal.addEventListener('abort', giveUp, { once: true });
  });
  const done = work()
    .catch((error: unknown) => failedReadOf(error))
    .finally(() => {
      signal.removeEventListener('abort', giveUp);
      hung.delete(token);
    });
  return Promise.race([done, late]);
}

async function readAll(path: string, bounds: ReadBounds): Promise<FileRead> {
  const { maxBytes, signal } = bounds;
  const found = await stat(path);
  const code = unfit(found);
  if (code !== null) return failedRead(code);
  const bytes = found.isFIFO()
    ? await readPipe(path, maxBytes, signal)
    : await readRegular(path, bounds);
  if (bytes.length > maxBytes) return failedRead('EFBIG');
  return { kind: 'read', bytes, mode: found.mode };
}

/** Why what was found is not read; null: it is. */
export function unfit(found: Stats, wanted: 'regular' | 'or a pipe' = 'or a pipe'): string | null {
  if (found.isFile()) return null;
  if (found.isFIFO()) return wanted === 'or a pipe' ? null : 'EPIPEFILE';
  return found.isDirectory() ? 'EISDIR' : 'ENODATAFILE';
}

/** O_NONBLOCK: where a read would wait (/proc/kmsg) it fails with EAGAIN instead. */
const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;
export const WITHOUT_WAITING = O_RDONLY | O_NONBLOCK | O_NOCTTY;

async function readRegular(path: string, bounds: ReadBounds): Promise<Uint8Array> {
  const file = await open(path, WITHOUT_WAITING);
  try {
    return Buffer.concat(await readParts(file, bounds, 'where it stands'));
  } finally {
    await file.close();
  }
}

/**
 * At most one byte more than `maxBytes`, when there is more; not waited for any more after
 * `signal`.
 */
export async function readParts(
  file: FileHandle,
  { maxBytes, signal }: Pick<ReadBounds, 'maxBytes' | 'signal'>,
  from: 'its start' | 'where it stands',
): Promise<readonly Buffer[]> {
  const parts: Buffer[] = [];
  for (let length = 0; length <= maxBytes && !signal.aborted; ) {
    const room = Math.min(CHUNK_BYTES, maxBytes + 1 - length);
    // What the kernel makes up (/proc) has no size: only the end says that there is no more.
    const at = from === 'its start' ? length : null;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(room), 0, room, at);
    if (bytesRead === 0) break;
    parts.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return parts;
}

/**
 * A pipe is opened at once whether or not it has a writer (fifo(7)), and needs no thread while it
 * is silent.
 */
async function readPipe(path: string, maxBytes: number, signal: GiveUpSignal): Promise<Uint8Array> {
  const fd = await promisify(openRaw)(path, WITHOUT_WAITING);
  const stream = new Socket({ fd, readable: true, writable: false });
  const giveUp = (): void => void stream.destroy(new SilentPipe());
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await drained(stream, maxBytes);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** Little more than `maxBytes`. The stream is closed, also when this is left early or fails. */
async function drained(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) break;
  }
  return Buffer.concat(chunks);
}

class SilentPipe extends Error {
  readonly code = 'ETIMEDOUT';
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'an unknown error';
}

export function failedReadOf(error: unknown): FailedRead {
  return failedRead(codeOf(error));
}

export function failedRead(code: string): FailedRead {
  return { kind: 'failed', code, problem: PROBLEMS[code] ?? `it could not be read (${code})` };
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file (ENOENT)',
  ENOTDIR: 'a part of its path is no directory (ENOTDIR)',
  ELOOP: 'its symbolic links lead in a circle, or are too many (ELOOP)',
  ENAMETOOLONG: 'a name in its path is too long (ENAMETOOLONG)',
  EPERM: 'reading it is not permitted (EPERM)',
  EIO: 'the disk or its file system fails (EIO)',
  ESTALE: 'its server has forgotten it (ESTALE)',
  EMFILE: 'sluice has no descriptor left to open it with (EMFILE)',
  ENFILE: 'the machine has no descriptor left to open it with (ENFILE)',
  EACCES: 'this user has no permission to read it (EACCES)',
  EISDIR: 'it is a directory (EISDIR)',
  ENODATAFILE: 'it is a device or a socket, not a file',
  ENOTCONN: 'it is a socket without a connection (ENOTCONN)',
  EPIPEFILE: 'it is a pipe: only what can be read again and again will do',
  EBUSY: 'it is being written all the time',
  EFBIG: 'it is too long',
  EAGAIN: 'a read of it waits for ever (EAGAIN)',
  ETIMEDOUT: 'it could not be read in time (ETIMEDOUT)',
  EHUNG: 'earlier reads of files have not come back: see whether their file system hangs',
};
