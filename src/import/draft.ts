/** A configuration of sluice in the making: tables, their keys, and where each came from. */
import { MAX_BACKENDS, MAX_LISTENERS, MAX_POOLS, MAX_ROUTES } from '../core/limits.js';
import { type Part, type Place, placeText } from './statement.js';

export type Literal = string | number | boolean | readonly string[] | Payload;

/** Bytes of a conversation, written with the escapes that the configuration reads. */
export interface Payload {
  readonly bytes: Uint8Array;
}

interface Pair {
  readonly value: Literal;
  readonly origins: readonly string[];
  readonly note: string;
}

export class DraftTable {
  /** Of the keys: `pools.pg.health`. */
  readonly path: readonly string[];
  readonly #form: 'single' | 'listed';
  readonly #origins: readonly string[];
  readonly #pairs = new Map<string, Pair>();

  constructor(path: readonly string[], origins: readonly Place[], form: 'single' | 'listed') {
    this.path = path;
    this.#form = form;
    this.#origins = unique(origins.map(shortPlace));
  }

  get isEmpty(): boolean {
    return this.#pairs.size === 0;
  }

  has(key: string): boolean {
    return this.#pairs.has(key);
  }

  get(key: string): Literal | undefined {
    return this.#pairs.get(key)?.value;
  }

  /** A key that no part of the file stands for; `note` says why it is there. */
  put(key: string, value: Literal, note: string): void {
    this.#pairs.set(key, { value, origins: [], note });
  }

  /** A key that comes from `parts`; with `how`, its meaning is another one. */
  take(key: string, value: Literal, parts: readonly (Part | undefined)[], how?: string): void {
    const path = [...this.path, key].join('.');
    const given = parts.filter((part) => part !== undefined);
    for (const part of given) {
      if (how === undefined) part.mark('translated', path);
      else part.changed(`${path}: ${how}`);
    }
    const origins = unique(given.map(({ place }) => shortPlace(place)));
    this.#pairs.set(key, { value, origins, note: '' });
  }

  lines(): readonly string[] {
    const header = this.path.map(keyText).join('.');
    const open = this.#form === 'listed' ? `[[${header}]]` : `[${header}]`;
    const pairs = [...this.#pairs].map(([key, { value, origins, note }]) =>
      commented(`${keyText(key)} = ${literalText(value)}`, [...origins, note]),
    );
    return [commented(open, this.#origins), ...pairs];
  }
}

const COMMENT_COLUMN = 44;

/** The head of the file has the folder. */
function shortPlace({ file, line }: Place): string {
  return placeText({ file: file.slice(file.lastIndexOf('/') + 1), line });
}

function commented(text: string, notes: readonly string[]): string {
  const comment = notes.filter((note) => note !== '').join(', ');
  return comment === '' ? text : `${text.padEnd(COMMENT_COLUMN)} # ${printable(comment)}`;
}

/** A file's name may hold anything. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : stringText(key);
}

export function literalText(value: Literal): string {
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return 'bytes' in value ? payloadText(value.bytes) : `[${value.map(stringText).join(', ')}]`;
}

/** JSON's strings are TOML's, but for DEL and halves of surrogate pairs. */
function stringText(text: string): string {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd')).replaceAll('\u007f', '\\u007f');
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x00, '\\0'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);

function payloadText(bytes: Uint8Array): string {
  const texts = [...bytes].map((byte) => {
    const known = ESCAPES.get(byte);
    if (known !== undefined) return known;
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27;
    return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  const text = texts.join('');
  // "hex:" at the start would be read as digits.
  return `'${text.startsWith('hex:') ? `\\x68${text.slice(1)}` : text}'`;
}

/** How many of each a configuration may have. */
const MOST = {
  listeners: MAX_LISTENERS,
  pools: MAX_POOLS,
  backends: MAX_BACKENDS,
  routes: MAX_ROUTES,
} as const;
type Counted = keyof typeof MOST;

/** Why there is no room for a further one. */
export function fullOf(kind: Counted): string {
  return `a configuration has ${MOST[kind]} ${kind} at most`;
}

export class Draft {
  /** In the order in which they were made. */
  readonly #tables = new Set<DraftTable>();
  /** Those of one listener or pool, by its kind and name; a file may have thousands of both. */
  readonly #byOwner = new Map<string, DraftTable[]>();
  readonly #count: Record<Counted, number> = { listeners: 0, pools: 0, backends: 0, routes: 0 };

  table(path: readonly string[], origins: readonly Place[] = []): DraftTable {
    return this.#find(path) ?? this.#add(new DraftTable(path, origins, 'single'));
  }

  listed(path: readonly string[], origins: readonly Place[]): DraftTable {
    const last = path.at(-1);
    if (last === 'backends' || last === 'routes') this.#count[last]++;
    return this.#add(new DraftTable(path, origins, 'listed'));
  }

  /** The first of `servers`, as many as a configuration may have beside those that it has. */
  fitting<T extends { readonly head: Part }>(servers: readonly T[]): readonly T[] {
    const room = Math.max(0, MAX_BACKENDS - this.#count.backends);
    for (const { head } of servers.slice(room)) head.statement.part().dropped(fullOf('backends'));
    return servers.slice(0, room);
  }

  hasRoomFor(kind: Counted, more = 1): boolean {
    return this.#count[kind] + more <= MOST[kind];
  }

  /** Whether a route of the listener asks for a server name: then the hello is read. */
  readsHello(listener: string): boolean {
    const tables = this.#byOwner.get(ownerOf(['listeners', listener])) ?? [];
    return tables.some((table) => table.path[2] === 'routes' && table.has('server_name'));
  }

  has(path: readonly string[]): boolean {
    return this.#find(path) !== undefined;
  }

  /** Takes the table of a listener, and everything below it, away. */
  removeListener(name: string): void {
    const owner = ownerOf(['listeners', name]);
    for (const table of this.#byOwner.get(owner) ?? []) {
      this.#tables.delete(table);
      if (table.path.at(-1) === 'routes') this.#count.routes--;
    }
    if (this.#byOwner.delete(owner)) this.#count.listeners--;
  }

  #find(path: readonly string[]): DraftTable | undefined {
    const name = path.join('\0');
    return this.#byOwner.get(ownerOf(path))?.find((table) => table.path.join('\0') === name);
  }

  #add(table: DraftTable): DraftTable {
    this.#tables.add(table);
    const owner = ownerOf(table.path);
    const others = this.#byOwner.get(owner);
    if (others === undefined) {
      this.#byOwner.set(owner, [table]);
      const [kind] = table.path;
      if (kind === 'listeners' || kind === 'pools') this.#count[kind]++;
    } else others.push(table);
    return table;
  }

  /** Tables of the process first, then in the order in which they were made. */
  text(head: readonly string[]): string {
    const first = ['daemon', 'log', 'admin'];
    const rank = (table: DraftTable): number => {
      const at = first.indexOf(table.path[0] ?? '');
      return at === -1 ? first.length : at;
    };
    const tables = [...this.#tables].sort((a, b) => rank(a) - rank(b));
    const shown = tables.filter((table) => !table.isEmpty);
    return [head, ...shown.map((table) => table.lines())]
      .map((lines) => `${lines.join('\n')}\n`)
      .join('\n');
  }
}

/** `listeners`, or `pools`, and the name. */
function ownerOf(path: readonly string[]): string {
  return path.slice(0, 2).join('\0');
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
