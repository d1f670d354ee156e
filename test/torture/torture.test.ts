/** The torture ring itself: its programs are valid and varied, and its receivers miss nothing. */
import t from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { generate } from './generate.js';
import { HABITS, type Program } from './program.js';
import { edited, type Settings, tomlOf } from './settings.js';
import { bytesOf, Receiver } from './stream.js';

const SEEDS = 300;
const programs = Array.from({ length: SEEDS }, (_, seed) => generate(seed, 'node'));

t.test('a seed gives the same program each time', async (t) => {
  t.same(generate(7, 'uring'), generate(7, 'uring'));
});

t.test('every version of every file loads', async (t) => {
  const problems = programs.flatMap((program) =>
    versions(program).flatMap((settings) => {
      const loaded = loadConfig(textOf(settings), 'torture.toml');
      return loaded.ok ? [] : [`seed ${program.seed}: ${loaded.error.map(formatIssue).join()}`];
    }),
  );
  t.same(problems, []);
});

t.test('programs have everything in them that there is', async (t) => {
  const text = JSON.stringify(programs);
  const words = [
    ...HABITS,
    ...['finish', 'reset', 'stop-reading', 'read', 'pause', 'v1', 'v2', 'bad', 'cut'],
    ...['silent', 'dead', 'reload', 'lose-worker', 'stop', 'lead', 'route', 'remove-listener'],
    ...['10.1.0.0/27', '127.0.0.0/9', 'a.example', 'postgres.strict', 'hello_timeout'],
    ...['trusted', 'untrusted', 'unix', '[::]', '[::1]', '0.0.0.0', 'off', 'errors', 'all'],
  ];
  t.same(
    words.filter((word) => !text.includes(`"${word}"`)),
    [],
  );
});

t.test(
  'a receiver knows its sender, and notices what is lost, changed or of another',
  async (t) => {
    const whole = bytesOf('client', 5, 0, 3_000);
    const taken = (...chunks: readonly Buffer[]): Receiver => {
      const receiver = new Receiver('client');
      for (const chunk of chunks) receiver.take(chunk);
      return receiver;
    };
    for (const cut of [1, 7, 8, 9, 2_000]) {
      const receiver = taken(whole.subarray(0, cut), whole.subarray(cut));
      t.match(receiver, { sender: 5, received: 3_000, wrong: null });
    }
    t.ok(taken(whole.subarray(0, 100), whole.subarray(101)).wrong, 'a byte is lost');
    t.ok(taken(whole.subarray(0, 100), whole.subarray(99)).wrong, 'a byte came twice');
    t.ok(taken(whole.subarray(0, 100), bytesOf('client', 6, 100, 50)).wrong, 'another client');
    t.ok(taken(bytesOf('backend', 5, 0, 50)).wrong, 'the other direction');
  },
);

function versions(program: Program): readonly Settings[] {
  const all: Settings[] = [{ listeners: program.listeners, pools: program.pools }];
  for (const act of program.acts) {
    if (act.do !== 'reload') continue;
    for (const edit of act.edits) all.push(edited(all.at(-1) ?? program, edit, program));
  }
  return all;
}

function textOf(settings: Settings): string {
  const names = settings.pools.flatMap(({ backends }) => backends.map(({ name }) => name));
  const backends = new Map(names.map((name, index) => [name, `127.0.0.1:${1_000 + index}`]));
  return tomlOf(settings, { backends, folder: '/run/torture' });
}
