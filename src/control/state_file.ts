/**
 * One small file that outlives the process. It is replaced as a whole (written beside it, synced,
 * renamed, the folder synced), so that at any moment the old text or the new one is there; a full
 * disk leaves the old one. What is asked to be written while a write is under way is written after
 * it, once, as it is then.
 */
import { constants } from 'node:fs';
import { copyFile, lstat, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Timers } from '../core/clock.js';
import { readUserFile } from '../files/user_file.js';
import type { StateLock } from './state_lock.js';

/** 32,768 overrides with long reasons. */
const MAX_BYTES = 32 * 1_048_576;
/** A file system that does not answer holds a caller up for no longer. */
const LIMIT_MS = 5_000;
/** Owner only: reasons may name customers. */
const MODE = 0o600;
/** This many are left for people to look at; none of them is ever replaced. */
const MAX_ASIDE = 100;

export type StateRead =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failed'; readonly problem: string };

/** Where the file, or a copy of it, is now; or why it is only where it was. */
export type Aside =
  | { readonly kind: 'at'; readonly path: string }
  | { readonly kind: 'failed'; readonly problem: string };

export class StateFile {
  readonly path: string;
  readonly #timers: Timers;
  readonly #lock: StateLock;
  #wanted: string | null = null;
  #writing: Promise<string | null> | null = null;
  /** One at a time: a late one must not move what was written meanwhile. */
  #leaving: Promise<Aside> | null = null;

  constructor(path: string, timers: Timers, lock: StateLock) {
    this.path = path;
    this.#timers = timers;
    this.#lock = lock;
  }

  /** Why it will not be written; null: nothing is known to be in the way. */
  taken(): string | null {
    return this.#lock(dirname(this.path));
  }

  async read(): Promise<StateRead> {
    const limit = new AbortController();
    const timer = this.#timers.after(LIMIT_MS, () => limit.abort());
    const bounds = { maxBytes: MAX_BYTES, signal: limit.signal, tried: 'once' } as const;
    const read = await readUserFile(this.path, bounds);
    timer.cancel();
    if (read.kind === 'read') return { kind: 'text', text: Buffer.from(read.bytes).toString() };
    return read.code === 'ENOENT' ? { kind: 'none' } : { kind: 'failed', problem: read.problem };
  }

  /** Resolves when `text`, or a newer one, is in the file: null, or why it is not. */
  write(text: string): Promise<string | null> {
    this.#wanted = text;
    this.#writing ??= this.#writeAll();
    return this.#within(this.#writing, (problem) => problem);
  }

  /** Puts it aside under a name that is free, for people to look at. */
  aside(how: 'moved' | 'copied'): Promise<Aside> {
    this.#leaving ??= this.#putAside(how).finally(() => {
      this.#leaving = null;
    });
    return this.#within(this.#leaving, (problem) => ({ kind: 'failed', problem }));
  }

  #within<T>(work: Promise<T>, late: (problem: string) => T): Promise<T> {
    return new Promise((resolve) => {
      const timer = this.#timers.after(LIMIT_MS, () => {
        resolve(late(`not written after ${LIMIT_MS / 1000} s`));
      });
      void work.then((done) => {
        timer.cancel();
        resolve(done);
      });
    });
  }

  async #putAside(how: 'moved' | 'copied'): Promise<Aside> {
    const taken = this.taken();
    if (taken !== null) return { kind: 'failed', problem: taken };
    try {
      const path = await freeName(`${this.path}.unreadable`);
      if (how === 'moved') await rename(this.path, path);
      else await copyFile(this.path, path, constants.COPYFILE_EXCL);
      await sync(path);
      await sync(dirname(path));
      return { kind: 'at', path };
    } catch (error) {
      return { kind: 'failed', problem: sentenceOf(error) };
    }
  }

  async #writeAll(): Promise<string | null> {
    let problem: string | null = null;
    while (this.#wanted !== null) {
      const text = this.#wanted;
      this.#wanted = null;
      problem = await this.#replace(text);
    }
    this.#writing = null;
    return problem;
  }

  async #replace(text: string): Promise<string | null> {
    return this.taken() ?? replace(this.path, text);
  }
}

async function replace(path: string, text: string): Promise<string | null> {
  const beside = `${path}.new`;
  try {
    const file = await open(beside, 'w', MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
    await sync(dirname(path));
    return null;
  } catch (error) {
    await unlink(beside).catch(() => {});
    return sentenceOf(error);
  }
}

/** The first of `wanted`, `wanted.2`, … that nothing has. */
async function freeName(wanted: string): Promise<string> {
  for (let number = 1; number <= MAX_ASIDE; number++) {
    const name = number === 1 ? wanted : `${wanted}.${number}`;
    if (await isFree(name)) return name;
  }
  throw new Error(`${wanted} to ${wanted}.${MAX_ASIDE} are taken: remove some`);
}

async function isFree(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of a folder, too: otherwise a crash of the machine may forget a new name in it. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
