/**
 * One small file that outlives the process. It is replaced as a whole (written beside it, synced,
 * renamed, the folder synced), so that at any moment the old text or the new one is there; a full
 * disk leaves the old one. What is asked to be written while a write is under way is written after
 * it, once, as it is then.
 */
import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Timers } from '../core/clock.js';
import { readUserFile } from '../files/user_file.js';
import type { StateLock } from './state_lock.js';

/** 32,768 overrides with long reasons. */
const MAX_BYTES = 32 * 1_048_576;
/** A file system that does not answer holds up nobody for longer. */
const LIMIT_MS = 5_000;
/** Owner only: reasons may name customers. */
const MODE = 0o600;

export type StateRead =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failed'; readonly problem: string };

export class StateFile {
  readonly path: string;
  readonly #timers: Timers;
  readonly #lock: StateLock;
  #wanted: string | null = null;
  #writing: Promise<string | null> | null = null;

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
    const writing = this.#writing;
    return new Promise((resolve) => {
      const timer = this.#timers.after(LIMIT_MS, () => {
        resolve(`not written after ${LIMIT_MS / 1000} s`);
      });
      void writing.then((problem) => {
        timer.cancel();
        resolve(problem);
      });
    });
  }

  /** Puts a file that makes no sense aside, for people to look at; answers where. */
  async putAside(): Promise<string> {
    const aside = `${this.path}.unreadable`;
    if (this.taken() === null) await rename(this.path, aside).catch(() => {});
    return aside;
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
    await syncFolder(dirname(path));
    return null;
  } catch (error) {
    await unlink(beside).catch(() => {});
    return error instanceof Error ? error.message : String(error);
  }
}

/** Otherwise a crash of the machine may forget the new name. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
