import t from 'tap';
import { COMMANDS, completableProgram } from '../../src/cli/commands.js';
import { type Completable, candidates } from '../../src/cli/completion.js';
import type { NameKind } from '../../src/cli/option.js';

const NAMES: Readonly<Record<NameKind, readonly string[]>> = {
  listener: ['web'],
  pool: ['app', 'api'],
  backend: ['app/a', 'app/[::1]:1'],
  backends: ['app/a', 'app/[::1]:1', 'app/*'],
  denied: ['192.0.2.0/24'],
};
const at = (...words: readonly string[]) =>
  candidates(words, completableProgram(), async (kind) => NAMES[kind]);

t.test('commands are completed at each level', async (t) => {
  t.same(
    await at(''),
    COMMANDS.map(({ name }) => name),
  );
  t.same(await at('ct'), ['ctl']);
  t.same(await at('ctl', 'dr'), ['drain']);
  t.same(await at('nothing', ''), []);
});

t.test('options in front of a command are passed over, whatever their form', async (t) => {
  t.same(await at('ctl', '--socket', 'drain', 'dr'), ['drain']);
  t.same(await at('ctl', '--socket=/x', 'dr'), ['drain']);
  t.same(await at('--debug', 'ctl', '--json', 'dr'), ['drain']);
  t.same(await at('ctl', '--s'), ['--socket']);
  t.same(await at('ctl', '--socket', ''), [], 'a path: the shell knows better');
});

t.test('options and their values are completed, names from the daemon', async (t) => {
  t.same(await at('run', '--c'), ['--config']);
  t.same(await at('run', '--config', ''), [], 'a file: the shell knows better');
  t.same(await at('ctl', 'sessions', '--po'), ['--pool']);
  t.same(await at('ctl', 'sessions', '--pool', 'ap'), ['app', 'api']);
  t.same(await at('ctl', 'sessions', '--pool=ap'), ['--pool=app', '--pool=api']);
  t.same(await at('ctl', 'sessions', '--because=ap'), [], 'no such option');
  t.same(await at('ctl', 'log-level', 'w'), ['warn']);
  t.same(await at('ctl', 'events', '--event=pool-d'), ['--event=pool-down']);
});

t.test('what an option offers is of its own command', async (t) => {
  t.same(await at('ctl', 'sessions', '--sort', ''), ['age', 'bytes', 'idle']);
  t.same(await at('ctl', 'clients', '--sort', ''), ['sessions', 'rate', 'bytes', 'refused']);
  t.same(await at('simulate', '--backend', ''), [], 'a description, and no name of a backend');
});

t.test('words without a flag are completed by their place', async (t) => {
  t.same(await at('ctl', 'why', ''), NAMES.backend);
  t.same(await at('ctl', 'why', 'app/\\[:'), ['app/[::1]:1'], 'with the quotes of the shell');
  t.same(await at('ctl', 'why', 'app/a', ''), []);
  t.same(await at('ctl', 'wait', '--timeout', '5s', 'app/a', 'd'), ['drained']);
  t.same(await at('ctl', 'wait', '--timeout=5s', 'app/a', 'd'), ['drained']);
  t.same(await at('ctl', 'drain', 'app/a', 'app/'), NAMES.backends);
  t.same(await at('ctl', 'admit', ''), NAMES.denied);
  t.same(await at('ctl', 'deny', ''), [], 'only the user knows');
});

/** Values that only the user knows, and paths. */
const FREE =
  /<(file|path|time|n|x|text|block|client|cursor|sessions|weight|spec\.\.\.|protocols|file\.\.\.)>/;
/** Of a client that asks: nothing here has a list of them. */
const ASKED_FOR = ['--server-name', '--database', '--user', '--application'];

t.test('whatever has a closed set of values says so to completion', async (t) => {
  const missing = (command: Completable): readonly string[] => [
    ...[...command.options.map(({ flags, values }) => ({ words: flags, values }))]
      .concat(command.positionals.map(({ usage, values }) => ({ words: usage, values })))
      .filter(({ words, values }) => words.includes('<') && values === undefined)
      .filter(({ words }) => !FREE.test(words) && !ASKED_FOR.includes(words.split(' ')[0] ?? ''))
      .map(({ words }) => `${command.name}: ${words}`),
    ...command.commands.flatMap(missing),
  ];
  t.same(missing(completableProgram()), []);
});
