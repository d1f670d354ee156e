/**
 * One proxy in a network of its own, as on a machine of its own: what it binds is its alone, and
 * the servers are behind a wire. So a configuration keeps the addresses and ports that it has.
 */
import type { Test } from 'tap';
import { present } from '../../../src/core/assert.js';
import { within } from '../deadline.js';
import { type Child, mustRun, startChild } from '../process.js';
import { program } from '../require_server.js';
import type { Question, Reply } from './question.js';

const CLIENT = new URL('./client_program.js', import.meta.url).pathname;

/** Where clients come from, beside what a case asks for (RFC 5737). */
const CLIENTS = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'];

/** Without the number, which the side gives. */
export type Ask = Omit<Extract<Question, { kind: 'tcp' }>, 'id'> | Omit<Udp, 'id'>;
type Udp = Extract<Question, { kind: 'udp' }>;

let sides = 0;

/** In the network of the servers: all of these are its own. */
export async function serverAddresses(blocks: readonly string[]): Promise<void> {
  for (const block of blocks) await ip(['route', 'replace', 'local', block, 'dev', 'lo']);
}

export class Side {
  readonly #client: Child;
  readonly #waiting = new Map<number, (name: string | null) => void>();
  #questions = 0;

  private constructor(client: Child) {
    this.#client = client;
    client.stdout.each((line) => {
      if (!line.startsWith('{')) return;
      const { id, name } = JSON.parse(line) as Reply;
      this.#waiting.get(id)?.(name);
      this.#waiting.delete(id);
    });
  }

  /** `own`: further blocks of addresses that this machine has. */
  static async start(t: Test, own: readonly string[]): Promise<Side> {
    const number = ++sides;
    const client = startChild(t, program('unshare'), ['--net', process.execPath, CLIENT]);
    await client.stdout.first('a client', (line) => line === 'ready');
    const side = new Side(client);
    const [wire, net] = [`wire${number}`, `172.30.${number}`];
    await ip([
      'link',
      'add',
      wire,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      `${client.pid}`,
    ]);
    await ip(['addr', 'add', `${net}.1/24`, 'dev', wire]);
    await ip(['link', 'set', wire, 'up']);
    const steps = [
      'ip link set lo up',
      `ip addr add ${net}.2/24 dev eth0`,
      'ip link set eth0 up',
      `ip route add default via ${net}.1`,
      ...[...CLIENTS, ...own].map((block) => `ip route add local ${block} dev lo`),
    ];
    const [first = '', ...rest] = side.inside(['sh', '-c', steps.join(' && ')]);
    await mustRun(first, rest);
    return side;
  }

  /** `command`, run in this network. */
  inside(command: readonly string[]): readonly string[] {
    return [program('nsenter'), '-t', `${this.#client.pid}`, '-n', '--', ...command];
  }

  start(t: Test, command: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
    const [first, ...rest] = this.inside(command);
    return startChild(t, present(first, 'a program'), rest, { env });
  }

  /** The server that answers; null: none. */
  async ask(question: Ask): Promise<{ readonly id: number; readonly name: string | null }> {
    const id = ++this.#questions;
    const name = await within(
      `an answer to ${JSON.stringify(question)}`,
      this.#put({ ...question, id }),
    );
    return { id, name };
  }

  /** Ends a session that was held. */
  async release(of: number): Promise<void> {
    const id = ++this.#questions;
    await within('the end of a session', this.#put({ kind: 'release', id, of }));
  }

  #put(question: Question): Promise<string | null> {
    const answer = new Promise<string | null>((resolve) => this.#waiting.set(question.id, resolve));
    this.#client.write(`${JSON.stringify(question)}\n`);
    return answer;
  }
}

function ip(words: readonly string[]): Promise<unknown> {
  return mustRun(program('ip'), words);
}
