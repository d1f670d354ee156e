/**
 * Completion for shells: `sluice completion SHELL` prints a script, which asks `sluice complete`
 * for candidates. So the table of commands is the only list, and names come from the daemon.
 */
import { EVENT_NAMES } from '../control/api/events.js';
import type { BACKENDS, LISTENERS, POOLS } from '../control/api/lists.js';
import type { ShapeOf } from '../control/api/shape.js';
import { usualSocketPath } from '../control/control_path.js';
import { LOG_LEVELS } from '../core/spec.js';
import { Client, CtlFailure } from './ctl/client.js';
import type { OptionDescription } from './option.js';

/** A command as completion sees it. */
export interface Completable {
  readonly name: string;
  readonly options: readonly OptionDescription[];
  /** `<backend>`, `[pool]` … in order. */
  readonly positionals: readonly string[];
  readonly commands: readonly Completable[];
}

/** What stands for a value: where its candidates come from. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  sort: ['age', 'bytes', 'idle'],
  level: LOG_LEVELS,
  goal: ['drained', 'up', 'eligible'],
  shell: ['bash', 'zsh', 'fish'],
  event: EVENT_NAMES,
};

const SCRIPTS = {
  // Backends without a name are called by their address, which has a colon.
  bash: `COMP_WORDBREAKS=\${COMP_WORDBREAKS//:}
_sluice() {
  local IFS=$'\\n'
  COMPREPLY=($(sluice complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _sluice sluice
`,
  zsh: `#compdef sluice
_sluice() {
  local -a found
  found=("\${(@f)$(sluice complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n "$found" ]] && compadd -- $found || _files
}
compdef _sluice sluice
`,
  fish: `complete -c sluice -a '(sluice complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
} as const;

export const COMPLETION_NOTES = `bash: source <(sluice completion bash)
zsh:  source <(sluice completion zsh), behind compinit
fish: sluice completion fish | source`;

/** Prints the script for a shell; the exit code, 2 where there is none for it. */
export function completion(shell: string): 0 | 2 {
  const script = Object.entries(SCRIPTS).find(([name]) => name === shell)?.[1];
  if (script === undefined) {
    process.stderr.write(`sluice: no completion for ${shell}; there is bash, zsh and fish\n`);
    return 2;
  }
  process.stdout.write(script);
  return 0;
}

/** Names that the running daemon knows; none where there is none. */
export type NamesOf = (kind: 'listener' | 'pool' | 'backend') => Promise<readonly string[]>;

/** Candidates for the last one of `words`, which may be empty. */
export async function candidates(
  words: readonly string[],
  commands: readonly Completable[],
  namesOf: NamesOf,
): Promise<readonly string[]> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  let level = commands;
  let command: Completable | null = null;
  let at = 0;
  for (; at < before.length && level.length > 0; at++) {
    command = level.find(({ name }) => name === before[at]) ?? null;
    if (command === null) return [];
    level = command.commands;
  }
  const found = await offered({ level, command, rest: before.slice(at), current }, namesOf);
  return found.filter((word) => word.startsWith(current));
}

interface Place {
  readonly level: readonly Completable[];
  readonly command: Completable | null;
  readonly rest: readonly string[];
  readonly current: string;
}

async function offered(place: Place, namesOf: NamesOf): Promise<readonly string[]> {
  const { level, command, rest, current } = place;
  if (level.length > 0) return level.map(({ name }) => name);
  if (command === null) return [];
  const valued = command.options.filter(({ flags }) => flags.includes('<'));
  const before = valued.find(({ flags }) => flagsIn(flags).includes(rest.at(-1) ?? ''));
  if (before !== undefined) return valuesOf(wordOf(before.flags), namesOf);
  if (current.startsWith('-')) {
    return command.options.flatMap(({ flags }) => flagsIn(flags).filter((f) => f.startsWith('--')));
  }
  const isValue = (index: number): boolean =>
    valued.some(({ flags }) => flagsIn(flags).includes(rest[index - 1] ?? ''));
  const given = rest.filter((word, index) => !word.startsWith('-') && !isValue(index)).length;
  const last = command.positionals.at(-1);
  const usage = command.positionals[given] ?? (last?.includes('...') === true ? last : undefined);
  return usage === undefined ? [] : valuesOf(usage.replace(/[^a-z]/g, ''), namesOf);
}

async function valuesOf(word: string, namesOf: NamesOf): Promise<readonly string[]> {
  if (word === 'listener' || word === 'pool' || word === 'backend') return namesOf(word);
  return LISTS[word] ?? [];
}

/** `-c, --config <file>`: both. */
function flagsIn(flags: string): readonly string[] {
  return flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
}

/** `--pool <name>` asks for a pool. */
function wordOf(flags: string): string {
  return (flagsIn(flags).at(-1) ?? '').replace(/^-+/, '');
}

/** Asks the daemon at `--socket` of the words, or where one usually is. */
export function namesOfDaemon(words: readonly string[]): NamesOf {
  const at = words.indexOf('--socket');
  const client = new Client((at < 0 ? undefined : words[at + 1]) ?? usualSocketPath(process.env));
  return async (kind) => {
    try {
      if (kind === 'listener') {
        const { items } = await client.get<ShapeOf<typeof LISTENERS>>('/listeners');
        return items.map(({ name }) => name);
      }
      if (kind === 'pool') {
        const { items } = await client.get<ShapeOf<typeof POOLS>>('/pools');
        return items.map(({ name }) => name);
      }
      const { items } = await client.get<ShapeOf<typeof BACKENDS>>('/backends', { limit: '10000' });
      return items.map(({ pool, name }) => `${pool}/${name}`);
    } catch (error) {
      if (error instanceof CtlFailure) return [];
      throw error;
    }
  };
}
