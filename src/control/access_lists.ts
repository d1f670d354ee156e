/**
 * The access lists of listeners as tables: what the file of the configuration says, and what stands
 * in the files that it names. Those are looked at every second; a table changes only when
 * everything in it can be read.
 */
import { parseBlock } from '../config/address.js';
import { AccessBlocks, type AccessTable, type AccessWord } from '../core/access_table.js';
import { present } from '../core/assert.js';
import type { Timers } from '../core/clock.js';
import { listenerKey } from '../core/identity.js';
import { ipBytes } from '../core/ip_bytes.js';
import { err, ok, type Result } from '../core/result.js';
import { sameValue } from '../core/same_value.js';
import type { AccessSpec, AddressBlock, ListenerSpec, Spec } from '../core/spec.js';
import { atOnce } from '../core/stretches.js';
import { markOfUserFile, readUserFile } from '../files/user_file.js';
import type { Log } from '../observe/log.js';

const ACCESS_LOOK_MS = 1_000;
/** Of one listener. */
const MAX_BLOCKS = 1_000_000;
/** An IPv6 block has up to 43 characters, and may have a comment. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;
const READ_LIMIT_MS = 10_000;
/** Lines that are read before others have their turn: a few milliseconds. */
const LINES_A_STRETCH = 5_000;

export interface AccessListsDeps {
  readonly timers: Timers;
  readonly log: Log;
}

interface Known {
  readonly listener: string;
  readonly access: AccessSpec;
  readonly table: AccessTable;
  /** What its files looked like when they were read, or read in vain, last. */
  stamp: string;
}

export class AccessLists {
  readonly #deps: AccessListsDeps;
  /** By the listener's key. */
  #known = new Map<string, Known>();
  #prepared: Map<string, Known> | null = null;
  #version = 0;

  constructor(deps: AccessListsDeps) {
    this.#deps = deps;
  }

  tableOf(key: string): AccessTable | null {
    return this.#known.get(key)?.table ?? null;
  }

  /** Reads what `spec` needs, or says what is wrong with it; `commit` puts it to use. */
  async prepare(spec: Spec): Promise<Result<null, readonly string[]>> {
    const prepared = new Map<string, Known>();
    const problems: string[] = [];
    for (const listener of spec.listeners) {
      const { access } = listener;
      if (access === null) continue;
      const key = listenerKey(listener);
      const known = this.#known.get(key);
      const stamp = await this.#stampOf(access);
      if (known !== undefined && known.stamp === stamp && sameValue(known.access, access)) {
        prepared.set(key, known);
        continue;
      }
      const table = await this.#read(access);
      if (table.ok) {
        prepared.set(key, { listener: listener.name, access, table: table.value, stamp });
      } else problems.push(`listener ${listener.name}: ${table.error}`);
    }
    if (problems.length > 0) return err(problems);
    this.#prepared = prepared;
    return ok(null);
  }

  commit(): void {
    this.#known = this.#prepared ?? this.#known;
    this.#prepared = null;
  }

  /** What was prepared is not put to use. */
  takeBack(): void {
    this.#prepared = null;
  }

  /**
   * Looks at the files of `spec` every second, until there is none (null); `follow` is called, as a
   * change, when one is another one than was read last.
   */
  watch(daemon: {
    readonly spec: () => Spec | null;
    readonly follow: () => Promise<unknown>;
  }): void {
    const look = async (): Promise<void> => {
      const spec = daemon.spec();
      if (spec === null) return;
      if (namesFiles(spec) && (await this.#areStale())) await daemon.follow();
      this.watch(daemon);
    };
    this.#deps.timers.after(ACCESS_LOOK_MS, () => void look());
  }

  async #areStale(): Promise<boolean> {
    for (const known of this.#known.values()) {
      if (known.stamp !== (await this.#stampOf(known.access))) return true;
    }
    return false;
  }

  /** Reads the files that have changed; true: some table is another one now. */
  async follow(): Promise<boolean> {
    let changed = false;
    for (const [key, known] of this.#known) {
      const stamp = await this.#stampOf(known.access);
      if (known.stamp === stamp) continue;
      known.stamp = stamp;
      const { listener, access } = known;
      const table = await this.#read(access);
      if (table.ok) {
        changed = true;
        this.#known.set(key, { ...known, table: table.value });
        this.#deps.log.event('access-list-changed', { listener, count: table.value.intervals });
      } else this.#deps.log.event('access-list-kept', { listener, detail: table.error });
    }
    return changed;
  }

  async #stampOf({ allowFiles, denyFiles }: AccessSpec): Promise<string> {
    const stamps: string[] = [];
    for (const path of [...allowFiles, ...denyFiles]) {
      const seen = await this.#within((signal) => markOfUserFile(path, { signal, tried: 'again' }));
      stamps.push(seen.kind === 'mark' ? seen.mark : seen.code);
    }
    return stamps.join(' ');
  }

  async #read(access: AccessSpec): Promise<Result<AccessTable, string>> {
    const blocks = new AccessBlocks();
    for (const block of access.allow) add(blocks, block, 'allow');
    for (const block of access.deny) add(blocks, block, 'deny');
    const files = [
      ...access.allowFiles.map((path) => ({ path, word: 'allow' as const })),
      ...access.denyFiles.map((path) => ({ path, word: 'deny' as const })),
    ];
    for (const { path, word } of files) {
      const problem = await this.#readFile(path, word, blocks);
      if (problem !== null) return err(`${path}${problem}`);
    }
    return ok(atOnce(blocks.table(++this.#version, access)));
  }

  /** Adds the blocks of a file; what is wrong with it follows its path. */
  async #readFile(path: string, word: AccessWord, blocks: AccessBlocks): Promise<string | null> {
    const read = await this.#within((signal) =>
      readUserFile(path, { maxBytes: MAX_FILE_BYTES, signal, tried: 'again' }),
    );
    if (read.kind === 'failed') return ` cannot be read: ${read.problem}`;
    const bytes = Buffer.from(read.bytes.buffer, read.bytes.byteOffset, read.bytes.length);
    let at = 0;
    for (let line = 1; at < bytes.length; line++) {
      const end = bytes.indexOf(10, at);
      const text = bytes.toString('latin1', at, end < 0 ? bytes.length : end);
      at = end < 0 ? bytes.length : end + 1;
      const problem = addLine(blocks, text, word);
      if (problem !== null) return `:${line}: ${problem}`;
      if (line % LINES_A_STRETCH === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return null;
  }

  async #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const timer = this.#deps.timers.after(READ_LIMIT_MS, () => limit.abort());
    try {
      return await work(limit.signal);
    } finally {
      timer.cancel();
    }
  }
}

/** What is wrong with a line; null: nothing. */
function addLine(blocks: AccessBlocks, line: string, word: AccessWord): string | null {
  const text = line.split('#', 1)[0]?.trim() ?? '';
  if (text === '') return null;
  const block = parseBlock(text);
  if (!block.ok) return `${text.slice(0, 60)}: ${block.faults[0]?.problem ?? 'not a block'}`;
  if (blocks.count >= MAX_BLOCKS) return `more than ${MAX_BLOCKS} blocks in all lists`;
  add(blocks, block.value, word);
  return null;
}

function add(blocks: AccessBlocks, { host, prefixBits }: AddressBlock, word: AccessWord): void {
  const bytes = present(ipBytes(host), 'a block begins with an address');
  blocks.add({ bytes, prefixBits, word });
}

/** Whether any file has to be watched. */
function namesFiles({ listeners }: Spec): boolean {
  return listeners.some(
    ({ access }: ListenerSpec) =>
      access !== null && access.allowFiles.length + access.denyFiles.length > 0,
  );
}
