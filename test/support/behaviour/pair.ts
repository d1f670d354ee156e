/**
 * A proxy with its own configuration and sluice with the translation, each on a machine of its own,
 * in front of the same servers: the same questions get the same answers.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { capabilities } from '../../../src/import/capabilities.js';
import { importHaproxy } from '../../../src/import/haproxy/import.js';
import { importNginx } from '../../../src/import/nginx/import.js';
import { FIXTURES } from '../../import/fixtures.js';
import { BINARY } from '../daemon.js';
import { eventually, PATIENCE_MS } from '../deadline.js';
import { tempFolder } from '../places.js';
import { haproxyCommand } from '../servers/haproxy.js';
import { nginxCommand } from '../servers/nginx.js';
import { Side } from './side.js';

export interface Machine {
  /** Blocks of addresses that a proxy's machine has: those that it binds, those of its clients. */
  readonly own?: readonly string[];
}

export interface Manner {
  /** The client's address. */
  readonly from?: string;
  readonly host?: string;
  readonly path?: string;
  /** Sent first. */
  readonly begin?: Buffer;
  readonly tls?: boolean;
  readonly udp?: boolean;
}

/** How often each server answers; `none` counts too. */
export type Shares = Readonly<Record<string, number>>;

export const NONE = 'none';

export class Pair {
  readonly #sides: readonly (readonly [string, Side])[];

  private constructor(sides: readonly (readonly [string, Side])[]) {
    this.#sides = sides;
  }

  /** Both serve the fixture `name` of test/import. */
  static async start(
    t: Test,
    kind: 'haproxy' | 'nginx',
    name: string,
    { own = [] }: Machine = {},
  ): Promise<Pair> {
    const text = quick(textOf(kind, name));
    const [theirs, ours] = await Promise.all([Side.start(t, own), Side.start(t, own)]);
    const folder = tempFolder(t);
    const command = kind === 'haproxy' ? haproxyCommand : nginxCommand;
    const their = command(folder, kind === 'haproxy' ? patient(runnable(text)) : runnable(text));
    const proxy = theirs.start(t, their.command);
    const file = join(folder, 'sluice.toml');
    writeFileSync(file, await translated(kind, name, text));
    const states = { STATE_DIRECTORY: folder, RUNTIME_DIRECTORY: folder };
    const sluice = ours.start(t, [process.execPath, BINARY, 'run', '-c', file], states);
    await Promise.all([
      their.serves(proxy),
      sluice.stdout.first('sluice serves', (line) => line.includes('"event":"ready"')),
    ]);
    return new Pair([
      [kind, theirs],
      ['sluice', ours],
    ]);
  }

  get sides(): readonly (readonly [string, Side])[] {
    return this.#sides;
  }

  /** Waits until as many questions as `expected` has are answered so, by both. */
  async answers(port: number, expected: Shares, manner: Manner = {}): Promise<void> {
    const questions = Object.values(expected).reduce((sum, count) => sum + count, 0);
    await this.#both(`${port}: ${JSON.stringify(expected)}`, async (side) => {
      const found = await shares(side, port, questions, manner);
      if (!isSame(found, expected)) throw new Error(JSON.stringify(found));
    });
  }

  /** The same for sessions that are all there at once. */
  async holds(port: number, expected: Shares, manner: Manner = {}): Promise<void> {
    const sessions = Object.values(expected).reduce((sum, count) => sum + count, 0);
    await this.#both(`${port}: held ${JSON.stringify(expected)}`, async (side) => {
      const found: Record<string, number> = {};
      const held: number[] = [];
      for (let i = 0; i < sessions; i++) {
        const { id, name } = await side.ask(question(port, manner, 'hold'));
        if (name !== null) held.push(id);
        count(found, name);
      }
      for (const id of held) await side.release(id);
      if (!isSame(found, expected)) throw new Error(JSON.stringify(found));
    });
  }

  /** One more than the `room` sessions that are served at once waits, until one of those ends. */
  async waits(port: number, room: number): Promise<void> {
    await this.#both(`${port}: one more than ${room}`, async (side) => {
      const held: number[] = [];
      for (let i = 0; i < room; i++) held.push((await side.ask(question(port, {}, 'hold'))).id);
      const late = side.ask(question(port, {}, 'end'));
      await side.release(held.shift() ?? 0);
      const { name } = await late;
      for (const id of held) await side.release(id);
      if (name === null) throw new Error('it was refused');
    });
  }

  /** Where a draw decides: all of `names` answer some of many questions, and no others. */
  async draws(port: number, names: readonly string[], manner: Manner = {}): Promise<void> {
    await this.#both(`${port}: ${names.join(' and ')}`, async (side) => {
      const found = await shares(side, port, 40, manner);
      const others = Object.keys(found).filter((name) => !names.includes(name));
      const missing = names.filter((name) => !(name in found));
      if (others.length + missing.length > 0) throw new Error(JSON.stringify(found));
    });
  }

  /**
   * Where the client decides: each of many clients has one server, whenever it comes, and together
   * they have all of `names`. Gives each client's server, by proxy.
   */
  async sticks(
    port: number,
    names: readonly string[],
    manner: Manner = {},
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const clients = Array.from({ length: 24 }, (_, index) => `198.51.100.${index * 7 + 1}`);
    const places = new Map<string, ReadonlyMap<string, string>>();
    await this.#both(`${port}: each client at one of ${names.join(', ')}`, async (side, proxy) => {
      const place = new Map<string, string>();
      for (const from of [...clients, ...clients, ...clients]) {
        const { name } = await side.ask(question(port, { ...manner, from }, 'end'));
        const known = place.get(from);
        if (known !== undefined && known !== name) throw new Error(`${from}: ${known}, ${name}`);
        place.set(from, name ?? NONE);
      }
      const found = [...new Set(place.values())].sort().join();
      if (found !== [...names].sort().join()) throw new Error(found);
      places.set(proxy, place);
    });
    return places;
  }

  async #both(what: string, ask: (side: Side, proxy: string) => Promise<void>): Promise<void> {
    const one = async ([proxy, side]: readonly [string, Side]): Promise<void> => {
      const done = async (): Promise<true> => {
        await ask(side, proxy);
        return true;
      };
      await eventually(`${proxy} at ${what}`, done, 2 * PATIENCE_MS);
    };
    await Promise.all(this.#sides.map(one));
  }
}

async function shares(
  side: Side,
  port: number,
  questions: number,
  manner: Manner,
): Promise<Shares> {
  const found: Record<string, number> = {};
  for (let i = 0; i < questions; i++) {
    const { name } = await side.ask(question(port, manner, 'end'));
    count(found, name);
  }
  return found;
}

function count(found: Record<string, number>, name: string | null): void {
  const key = name ?? NONE;
  found[key] = (found[key] ?? 0) + 1;
}

function isSame(found: Shares, expected: Shares): boolean {
  const names = Object.keys({ ...found, ...expected });
  return names.every((name) => found[name] === expected[name]);
}

function question(port: number, manner: Manner, then: 'hold' | 'end'): Parameters<Side['ask']>[0] {
  const { from = null, host = '127.0.0.1', path = null, tls = false } = manner;
  if (manner.udp === true) return { kind: 'udp', host, port, from };
  const begin = (manner.begin ?? Buffer.alloc(0)).toString('base64');
  return { kind: 'tcp', host, port, path, from, begin, tls, hold: then === 'hold' };
}

function textOf(kind: string, name: string): string {
  const fixture = FIXTURES.find((one) => one.kind === kind && one.name === name);
  if (fixture === undefined) throw new Error(`there is no test/import/${kind}/${name}`);
  return fixture.text;
}

async function translated(kind: string, file: string, text: string): Promise<string> {
  const source = { file, text };
  const has = capabilities();
  const result =
    kind === 'haproxy'
      ? importHaproxy([source], new Map(), has)
      : importNginx(source, new Map(), has);
  if (result.ok) return result.value.toml;
  throw new Error(JSON.stringify(result.error));
}

/** Less than this, and a check of a busy machine would be late. */
const SHORTEST_MS = 400;

/** Checks come ten times as often, for both, so that a test takes seconds. */
function quick(text: string): string {
  const times = /\b(inter|fastinter|downinter) (\d+)(ms|s)?\b/g;
  const told = / inter /.test(text)
    ? text
    : text.replace(/^( *server .*? check)\b/gm, '$1 inter 2s');
  return told.replace(times, (_, word: string, number: string, unit?: string) => {
    const ms = Number(number) * (unit === 's' ? 1_000 : 1);
    return `${word} ${Math.min(ms, Math.max(SHORTEST_MS, Math.round(ms / 10)))}ms`;
  });
}

/**
 * HAProxy gives a check no longer than its interval, which is a tenth here: on a busy machine each
 * dialogue of SMTP was late.
 */
function patient(text: string): string {
  const limit = 'timeout check 3s';
  const own = /^defaults\b.*$/gm;
  return own.test(text) ? text.replace(own, `$&\n  ${limit}`) : `defaults\n  ${limit}\n${text}`;
}

/** Without what belongs to the machine: users, folders and sockets of an installed proxy. */
function runnable(text: string): string {
  const machine = [
    /^\s*(?:user|group|chroot|daemon|pidfile|stats socket|log \/dev\/log|c[ar]t?-base)\b.*$/gm,
    /^\s*(?:user|pid|error_log|worker_processes|load_module|events|access_log)\b.*[;}]$/gm,
  ];
  return machine.reduce((left, words) => left.replace(words, ''), text);
}
