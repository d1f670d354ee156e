/**
 * The access lists of listeners as tables: what the file of the configuration says, and what stands
 * in the files that it names. Those are looked at every second; a table changes only when
 * everything in it can be read. Files are read while no change is under way, because a file system
 * may answer late: a change only puts to use what was read.
 */
import type { AccessTable } from '../core/access_table.js';
import type { Clock, Timers } from '../core/clock.js';
import { listenerKey } from '../core/identity.js';
import { err, ok, type Result } from '../core/result.js';
import { sameValue } from '../core/same_value.js';
import type { AddressBlock, ListenerSpec, Spec } from '../core/spec.js';
import type { Log } from '../observe/log.js';
import {
  type AccessGroup,
  accessGroups,
  deniedTable,
  inTurns,
  marksOf,
  problemWith,
  type ReadingDeps,
  readAccess,
} from './access_reading.js';
import type { ChangeQueue, Refusal } from './change_queue.js';

const LOOK_MS = 1_000;

export interface AccessListsDeps {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
  readonly changes: ChangeQueue;
}

interface Known extends AccessGroup {
  readonly table: AccessTable;
  readonly blocks: number;
  /** Of its files, as they were read. */
  readonly marks: string;
}

/** What was read for the listeners of a Spec: by the name of their group. */
export interface ReadLists {
  readonly groups: ReadonlyMap<string, Known>;
  /** By the listener's key. */
  readonly tables: ReadonlyMap<string, AccessTable>;
}

/** `follow` gets what puts others to use, and says whether it did, as a change. */
interface Watcher {
  readonly isServing: () => boolean;
  readonly follow: (use: () => boolean) => Promise<unknown>;
}

/** Files as they were when they could not be used, and what was said about it. */
interface Vain {
  readonly marks: string;
  readonly detail: string;
}

export class AccessLists {
  readonly #deps: AccessListsDeps;
  #inUse: ReadLists = { groups: new Map(), tables: new Map() };
  #watcher: Watcher | null = null;
  /** Whether a look is due or under way. */
  #looks: 'no' | 'yes' = 'no';
  /** By group: not tried again until its files are other ones. */
  readonly #vain = new Map<string, Vain>();
  #version = 0;
  /** Clients that operators have denied, as blocks and as a table. */
  #deniedBlocks: readonly AddressBlock[] = [];
  #denied: AccessTable | null = null;

  constructor(deps: AccessListsDeps) {
    this.#deps = deps;
  }

  tableOf(key: string): AccessTable | null {
    return this.#inUse.tables.get(key) ?? null;
  }

  /** Listeners whose files cannot be used as they are now, and why. */
  get kept(): readonly { readonly listener: string; readonly detail: string }[] {
    return [...this.#vain].flatMap(([name, { detail }]) => {
      const { listeners = [] } = this.#inUse.groups.get(name) ?? {};
      return listeners.map((one) => ({ listener: one.name, detail }));
    });
  }

  /**
   * Reads what the listeners of `spec` need as it is now, or says what is wrong with it. A stop
   * waits for none of it.
   */
  async read(spec: Spec): Promise<Result<ReadLists, Refusal>> {
    const { changes } = this.#deps;
    const reading = this.#readAll(spec);
    await changes.unlessOverruled(reading);
    return changes.overruled ? err(changes.refusal) : reading;
  }

  async #readAll(spec: Spec): Promise<Result<ReadLists, Refusal>> {
    const groups = new Map<string, Known>();
    const problems: string[] = [];
    for (const [name, group] of accessGroups(spec.listeners)) {
      const read = await this.#readOrKnown(name, group);
      if (read.ok) groups.set(name, read.value);
      else problems.push(problemWith(group, read.error));
    }
    return problems.length > 0 ? err(problems) : ok(listsOf(groups));
  }

  get denied(): AccessTable | null {
    return this.#denied;
  }

  /** Operators deny these, at every listener; true: they were others before. */
  deny(blocks: readonly AddressBlock[]): boolean {
    if (sameValue(blocks, this.#deniedBlocks)) return false;
    this.#deniedBlocks = blocks;
    this.#denied = blocks.length === 0 ? null : deniedTable(blocks, ++this.#version);
    return true;
  }

  use(lists: ReadLists): void {
    this.#inUse = lists;
    this.#vain.clear();
    this.#lookSoon();
  }

  /** Looks at the files in use every second, if there are any, until nothing is served any more. */
  watch(watcher: Watcher): void {
    this.#watcher = watcher;
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#looks === 'yes' || this.#watcher === null) return;
    if (![...this.#inUse.groups.values()].some(hasFiles)) return;
    this.#looks = 'yes';
    const watcher = this.#watcher;
    this.#deps.timers.after(LOOK_MS, () => void this.#look(watcher));
  }

  async #look({ isServing, follow }: Watcher): Promise<void> {
    for (const [name, known] of this.#inUse.groups) {
      if (!isServing()) return;
      const next = await this.#reread(name, known);
      if (next !== null) await follow(() => this.#replace(name, known, next));
    }
    this.#looks = 'no';
    this.#lookSoon();
  }

  /** The same files as were read into a table that is in use make the same table. */
  async #readOrKnown(name: string, group: AccessGroup): Promise<Result<Known, string>> {
    const known = this.#inUse.groups.get(name);
    const deps = this.#reading('once');
    if (known !== undefined && known.marks === (await marksOf(group.access, deps))) {
      return ok({ ...known, ...group });
    }
    return this.#read(group, deps);
  }

  async #read(group: AccessGroup, deps: ReadingDeps): Promise<Result<Known, string>> {
    const read = await readAccess(group.access, deps);
    if (!read.ok) return read;
    const { blocks, marks } = read.value;
    const table = await inTurns(blocks.table(++this.#version, group.access));
    return ok({ ...group, table, blocks: blocks.count, marks });
  }

  /** What the files of `known` are now, when they are others and can be used. */
  async #reread(name: string, known: Known): Promise<Known | null> {
    const deps = this.#reading('again');
    const marks = await marksOf(known.access, deps);
    if (marks === known.marks) {
      this.#vain.delete(name);
      return null;
    }
    const vain = this.#vain.get(name);
    if (vain?.marks === marks) return null;
    const read = await this.#read(known, deps);
    // A change has put others to use meanwhile.
    if (this.#inUse.groups.get(name) !== known) return null;
    if (read.ok) {
      this.#vain.delete(name);
      if (!isSame(known.table, read.value.table)) return read.value;
      // Its rights are others, or it was written again as it was.
      const { groups } = this.#inUse;
      const same = { ...known, marks: read.value.marks };
      this.#inUse = listsOf(new Map([...groups, [name, same]]));
      return null;
    }
    this.#vain.set(name, { marks, detail: read.error });
    if (vain?.detail === read.error) return null;
    for (const { name: listener } of known.listeners) {
      this.#deps.log.event('access-list-kept', { listener, detail: read.error });
    }
    return null;
  }

  #replace(name: string, known: Known, next: Known): boolean {
    const { groups } = this.#inUse;
    if (groups.get(name) !== known) return false;
    this.#inUse = listsOf(new Map([...groups, [name, next]]));
    for (const { name: listener } of next.listeners) {
      this.#deps.log.event('access-list-changed', { listener, count: next.blocks });
    }
    return true;
  }

  #reading(tried: ReadingDeps['tried']): ReadingDeps {
    const { timers, clock } = this.#deps;
    return { timers, clock, tried };
  }
}

/** Of the same access, that its files are read for anew. */
function isSame(a: AccessTable, b: AccessTable): boolean {
  return Buffer.from(a.memory).equals(Buffer.from(b.memory));
}

function hasFiles({ access }: Known): boolean {
  return access.allowFiles.length + access.denyFiles.length > 0;
}

function listsOf(groups: ReadonlyMap<string, Known>): ReadLists {
  const tables = [...groups.values()].flatMap(({ listeners, table }) =>
    listeners.map((listener: ListenerSpec) => [listenerKey(listener), table] as const),
  );
  return { groups, tables: new Map(tables) };
}
