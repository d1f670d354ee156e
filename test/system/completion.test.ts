/** Completion as users have it: shells in a terminal, the Tab key, and what the shell then runs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startOperated } from '../support/ctl.js';
import { BINARY } from '../support/daemon.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { haveServers } from '../support/require_server.js';
import { listenerText } from '../support/settings.js';
import { Terminal } from '../support/terminal.js';

const TOML = `${listenerText({ name: 'in', pool: 'app' })}
[pools.app]
health = { probe = "none" }
[[pools.app.backends]]
address = "127.0.0.1:1"
[[pools.app.backends]]
address = "[::1]:1"
[[pools.app.backends]]
address = "127.0.0.2:1"
name = "one"
`;

/** As a user has it: how the shell is started in `home`, where `script` is what sluice prints. */
interface Shell {
  readonly program: string;
  readonly setUp: (home: string, script: string) => readonly string[];
}

const SHELLS: Readonly<Record<string, Shell>> = {
  'bash, sourced': {
    program: 'bash',
    setUp: (home, script) => {
      writeFileSync(join(home, 'rc'), `${script}PS1='ready> '\n`);
      return ['bash', '--noprofile', '--rcfile', join(home, 'rc'), '-i'];
    },
  },
  'zsh, sourced': {
    program: 'zsh',
    setUp: (home, script) => {
      writeFileSync(join(home, 'script'), script);
      const rc = `autoload -U compinit; compinit -u -D\nsource ${home}/script\nPS1='ready> '\n`;
      writeFileSync(join(home, '.zshrc'), rc);
      return ['zsh', '-d', '-i'];
    },
  },
  'zsh, as the Debian package installs it': {
    program: 'zsh',
    setUp: (home, script) => {
      mkdirSync(join(home, 'vendor'));
      writeFileSync(join(home, 'vendor/_sluice'), script);
      const path = `fpath=(${home}/vendor $fpath)`;
      const rc = `${path}\nautoload -U compinit; compinit -u -D\nPS1='ready> '\n`;
      writeFileSync(join(home, '.zshrc'), rc);
      return ['zsh', '-d', '-i'];
    },
  },
  fish: {
    program: 'fish',
    setUp: (home, script) => {
      mkdirSync(join(home, 'fish/completions'), { recursive: true });
      writeFileSync(join(home, 'fish/completions/sluice.fish'), script);
      const rc = "set fish_greeting\nfunction fish_prompt; printf 'ready> '; end\n";
      writeFileSync(join(home, 'fish/config.fish'), rc);
      // Where this folder is missing, fish reads every manual page of the machine into it, aside.
      mkdirSync(join(home, '.local/share/fish/generated_completions'), { recursive: true });
      return ['fish', '-i'];
    },
  },
};

/** Typed in front of the Tab key, and the words that `sluice` then gets. */
const TYPED: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ['ctl dr', ['ctl', 'drain']],
  ['ctl --socket admin.sock dr', ['ctl', '--socket', 'admin.sock', 'drain']],
  ['ctl status --socket=adm', ['ctl', 'status', '--socket=admin.sock']],
  ['ctl events --event=pool-d', ['ctl', 'events', '--event=pool-down']],
  ['ctl clients --sort se', ['ctl', 'clients', '--sort', 'sessions']],
  ['ctl reset app/\\*', ['ctl', 'reset', 'app/*']],
  ['ctl admit 1', ['ctl', 'admit', '192.0.2.0/24']],
  ['ctl why app/o', ['ctl', 'why', 'app/one']],
  ['ctl why app/1', ['ctl', 'why', 'app/127.0.0.1:1']],
  ['ctl why app/127.0.0.1:', ['ctl', 'why', 'app/127.0.0.1:1']],
  ['ctl why app/\\[', ['ctl', 'why', 'app/[::1]:1']],
  ["ctl why 'app/o", ['ctl', 'why', 'app/one']],
  [
    'ctl drain --because "it is slow" app/one app/o',
    ['ctl', 'drain', '--because', 'it is slow', 'app/one', 'app/one'],
  ],
];

t.test('the Tab key completes commands, options and names', async (t) => {
  const folder = tempFolder(t);
  const { ctl } = await startOperated(t, { toml: TOML, socket: join(folder, 'admin.sock') });
  t.equal((await ctl('deny', '192.0.2.0/24')).code, 0);
  const bin = programsWith(folder);
  for (const [name, shell] of Object.entries(SHELLS)) {
    await t.test(name, async (t) => {
      if (!haveServers(t, shell.program)) return;
      const typist = await startTypist(t, shell, folder, bin);
      for (const [typed, words] of TYPED) t.same(await typist.complete(typed), words, typed);
    });
  }
});

interface Typist {
  /** Types words behind `sluice`, Tab and Enter; the words that the shell then passes to it. */
  readonly complete: (typed: string) => Promise<readonly string[]>;
}

async function startTypist(t: Test, shell: Shell, folder: string, path: string): Promise<Typist> {
  const { stdout } = await runToEnd(process.execPath, [BINARY, 'completion', shell.program]);
  const home = tempFolder(t);
  const command = shell.setUp(home, `${stdout}\n`);
  const homes = ['HOME', 'ZDOTDIR', 'XDG_CONFIG_HOME'].map((name) => `${name}=${home}`);
  const set = ['-C', folder, `RUNTIME_DIRECTORY=${folder}`, `PATH=${path}`, ...homes];
  const terminal = new Terminal(t, ['env', ...set, ...command], { columns: 200, rows: 50 });
  await terminal.writes(/ready> /, 0);
  return {
    complete: async (typed) => {
      const from = terminal.text.length;
      terminal.press(`sluice ${typed}\t\r`);
      const [, got = ''] = await terminal.writes(/got (<.*>) end/, from);
      return got.slice(1, -1).split('><');
    },
  };
}

/** PATH with a `sluice` that completes, and shows the words of any other command. */
function programsWith(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const text = `#!/bin/sh
case $1 in complete) exec ${process.execPath} ${BINARY} "$@" ;; esac
printf 'got '
printf '<%s>' "$@"
echo ' end'
`;
  writeFileSync(join(bin, 'sluice'), text, { mode: 0o755 });
  return `${bin}:${process.env['PATH'] ?? ''}`;
}
