import t from 'tap';
import { type Completable, candidates } from '../../src/cli/completion.js';

const COMMANDS: readonly Completable[] = [
  { name: 'run', options: [{ flags: '-c, --config <file>', description: '' }], ...none() },
  {
    ...none(),
    name: 'ctl',
    options: [],
    commands: [
      { ...none(), name: 'why', options: [], positionals: ['<backend>'] },
      { ...none(), name: 'wait', options: [], positionals: ['<backend>', '<goal>'] },
      { ...none(), name: 'drain', options: [], positionals: ['<backend...>'] },
      {
        ...none(),
        name: 'sessions',
        options: ['--pool <name>', '--sort <by>', '--json'].map((flags) => ({
          flags,
          description: '',
        })),
      },
    ],
  },
];
const NAMES = { listener: ['web'], pool: ['app', 'api'], backend: ['app/a', 'app/b'] };
const at = (...words: readonly string[]) =>
  candidates(words, COMMANDS, async (kind) => NAMES[kind]);

t.test('commands are completed at each level', async (t) => {
  t.same(await at(''), ['run', 'ctl']);
  t.same(await at('c'), ['ctl']);
  t.same(await at('ctl', 'w'), ['why', 'wait']);
  t.same(await at('nothing', ''), []);
});

t.test('options and their values are completed, names from the daemon', async (t) => {
  t.same(await at('run', '--c'), ['--config']);
  t.same(await at('run', '--config', ''), [], 'a file: the shell knows better');
  t.same(await at('ctl', 'sessions', '--'), ['--pool', '--sort', '--json']);
  t.same(await at('ctl', 'sessions', '--pool', 'ap'), ['app', 'api']);
  t.same(await at('ctl', 'sessions', '--sort', 'b'), ['bytes']);
  t.same(await at('ctl', 'why', ''), ['app/a', 'app/b']);
  t.same(await at('ctl', 'why', 'app/a', ''), []);
  t.same(await at('ctl', 'wait', 'app/a', 'd'), ['drained']);
  t.same(await at('ctl', 'drain', 'app/a', 'app/'), ['app/a', 'app/b']);
});

function none() {
  return { positionals: [], commands: [] };
}
