/**
 * Machines of a test: network namespaces beside that of the test itself, which must be one of its
 * own (own_network.ts), each with a cable to it.
 */
import type { Test } from 'tap';
import { type Child, mustRun, runToEnd, startChild } from './process.js';
import { available, findProgram, program } from './require_server.js';

export class TestMachine {
  /** What runs a command there. */
  readonly within: readonly string[];
  /** This end of its cable; the other one is its eth0. */
  readonly cable: string;
  readonly #space: string;

  constructor(space: string, cable: string) {
    this.#space = space;
    this.cable = cable;
    this.within = [program('ip'), 'netns', 'exec', space];
  }

  /** Runs a command there to its end; an exit code other than 0 is an error. */
  run(...command: readonly string[]): Promise<string> {
    const [first = '', ...rest] = [...this.within, ...command];
    return mustRun(first, rest);
  }

  /** Starts a program there, which ends with the test. */
  start(t: Test, command: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
    const [first = '', ...rest] = [...this.within, ...command];
    return startChild(t, first, rest, { env });
  }

  /** `ip` with these words, there. */
  ip(words: string): Promise<string> {
    return mustRun(program('ip'), ['-n', this.#space, ...words.split(' ')]);
  }
}

/** `ip` with these words, here. */
export function ip(words: string): Promise<string> {
  return mustRun(program('ip'), words.split(' '));
}

/** True where machines can be had, and these programs; else the test is skipped. */
export function haveMachines(t: Test, ...programs: readonly string[]): boolean {
  const missing = programs.map(
    (name) => [`${name} is not installed`, findProgram(name) !== null] as const,
  );
  const isRoot = process.getuid?.() === 0;
  return available(t, [['network namespaces with names need root', isRoot], ...missing]);
}

/** Machines with these names; their cables are plugged in, and nothing has an address. */
export async function startMachines(t: Test, names: readonly string[]): Promise<TestMachine[]> {
  const machines: TestMachine[] = [];
  for (const [index, name] of names.entries()) {
    const space = `sluice-${process.pid}-${name}`;
    await ip(`netns add ${space}`);
    t.teardown(() => runToEnd(program('ip'), ['netns', 'del', space]));
    const machine = new TestMachine(space, `cable${index}`);
    await ip(`link add ${machine.cable} type veth peer name eth0 netns ${space}`);
    await ip(`link set ${machine.cable} up`);
    await machine.ip('link set lo up');
    await machine.ip('link set eth0 up');
    machines.push(machine);
  }
  return machines;
}
