/** Reads the files of an access list, as they are now, without holding up anything else. */
import { AccessBlocks, type AccessTable, type AccessWord } from '../core/access_table.js';
import { present } from '../core/assert.js';
import type { Clock, Timers } from '../core/clock.js';
import { ipBytes } from '../core/ip_bytes.js';
import { err, ok, type Result } from '../core/result.js';
import type { AccessSpec, AddressBlock, ListenerSpec } from '../core/spec.js';
import { atOnce, type Stretches } from '../core/stretches.js';
import { within } from '../core/within.js';
import { readStillFile, type StillRead } from '../files/still_file.js';
import { markOfUserFile, type ReadBounds } from '../files/user_file.js';
import { addLines } from './access_lines.js';

const MIB = 1_048_576;
/** 64 bytes for each of the most blocks: one of IPv6, and a comment. */
const MAX_FILE_MIB = 64;
const READ_LIMIT_MS = 5_000;
/** An editor that writes in place is done by then. */
const SETTLE_MS = 500;
/** They are waited for together until they stand still. */
const FILES_AT_ONCE = 4;

export interface ReadingDeps {
  readonly timers: Timers;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly tried: ReadBounds['tried'];
}

export interface ReadAccess {
  readonly blocks: AccessBlocks;
  /** Of its files, as they were read. */
  readonly marks: string;
}

/** All blocks of `access`, or what is wrong with one of its files. */
export async function readAccess(
  access: AccessSpec,
  deps: ReadingDeps,
): Promise<Result<ReadAccess, string>> {
  const blocks = new AccessBlocks();
  for (const block of access.allow) add(blocks, block, 'allow');
  for (const block of access.deny) add(blocks, block, 'deny');
  const marks: string[] = [];
  const files = filesOf(access);
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const some = files.slice(at, at + FILES_AT_ONCE);
    const reads = await Promise.all(some.map(({ path }) => readFile(path, deps)));
    for (const [index, { path, word }] of some.entries()) {
      const read = present(reads[index], path);
      if (read.kind === 'failed') return err(`${path} cannot be read: ${problemOf(read)}`);
      const problem = await inTurns(addLines(read.parts, word, blocks));
      if (problem !== null) return err(`${path}${problem}`);
      marks.push(read.mark);
    }
  }
  return ok({ blocks, marks: marks.join(' ') });
}

/** What the files of `access` look like now: something else when one of them has changed. */
export async function marksOf(access: AccessSpec, deps: ReadingDeps): Promise<string> {
  const marks: string[] = [];
  for (const { path } of filesOf(access)) {
    const { timers, tried } = deps;
    const seen = await within(timers, READ_LIMIT_MS, (signal) =>
      markOfUserFile(path, { signal, tried }),
    );
    marks.push(seen.kind === 'mark' ? seen.mark : seen.code);
  }
  return marks.join(' ');
}

/** Listeners with the same access have it read once, and share the table. */
export interface AccessGroup {
  readonly access: AccessSpec;
  readonly listeners: readonly ListenerSpec[];
}

/** By a text that is the same for the same access. */
export function accessGroups(listeners: readonly ListenerSpec[]): Map<string, AccessGroup> {
  const groups = new Map<string, AccessGroup>();
  for (const listener of listeners) {
    const { access } = listener;
    if (access === null) continue;
    const name = JSON.stringify(access);
    const others = groups.get(name)?.listeners ?? [];
    groups.set(name, { access, listeners: [...others, listener] });
  }
  return groups;
}

/** Of blocks that operators deny, few enough to be laid out at once. */
export function deniedTable(denied: readonly AddressBlock[], version: number): AccessTable {
  const blocks = new AccessBlocks();
  for (const block of denied) add(blocks, block, 'deny');
  return atOnce(blocks.table(version, { others: 'allowed', dryRun: false }));
}

/** What is wrong with the files of a group, as a sentence for people. */
export function problemWith({ listeners }: AccessGroup, detail: string): string {
  const [first, ...others] = listeners;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `listener ${first?.name}${more}: ${detail}`;
}

/** What a start would say of the access lists of `listeners`; nothing is put to use. */
export async function accessProblems(
  listeners: readonly ListenerSpec[],
  deps: Omit<ReadingDeps, 'tried'>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const group of accessGroups(listeners).values()) {
    const read = await readAccess(group.access, { ...deps, tried: 'once' });
    if (!read.ok) problems.push(problemWith(group, read.error));
  }
  return problems;
}

/** `work`, with everything else having its turn between its stretches. */
export async function inTurns<T>(work: Stretches<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function readFile(path: string, { timers, clock, tried }: ReadingDeps): Promise<StillRead> {
  return within(timers, READ_LIMIT_MS, (signal) =>
    readStillFile(path, {
      maxBytes: MAX_FILE_MIB * MIB,
      settleMs: SETTLE_MS,
      signal,
      tried,
      wallMs: () => clock.wallMs(),
      pause: (delayMs) => new Promise((resolve) => timers.after(delayMs, resolve)),
    }),
  );
}

function problemOf({ code, problem }: Extract<StillRead, { kind: 'failed' }>): string {
  return code === 'EFBIG' ? `it is longer than ${MAX_FILE_MIB} MiB` : problem;
}

function filesOf(access: AccessSpec): { readonly path: string; readonly word: AccessWord }[] {
  return [
    ...access.allowFiles.map((path) => ({ path, word: 'allow' as const })),
    ...access.denyFiles.map((path) => ({ path, word: 'deny' as const })),
  ];
}

function add(blocks: AccessBlocks, { host, prefixBits }: AddressBlock, word: AccessWord): void {
  const bytes = present(ipBytes(host), 'a block begins with an address');
  blocks.add({ bytes, prefixBits, word });
}
