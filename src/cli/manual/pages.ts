/** The manual pages, and where they stand. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { confFile } from '../../config/generate/documents.js';
import { COMMANDS, PROGRAM, version } from '../commands.js';
import { groupPage, programPage } from './commands.js';
import { filePage } from './file_page.js';

/** By name, what must stand in docs/man/. */
export function manualPages(): Readonly<Record<string, string>> {
  const now = version();
  const groups = COMMANDS.flatMap((line) =>
    'commands' in line && line.name === 'ctl' ? [line] : [],
  );
  return {
    'sluice.1': programPage({ ...PROGRAM, version: now, commands: COMMANDS }),
    ...Object.fromEntries(groups.map((group) => [`sluice-${group.name}.1`, groupPage(group, now)])),
    'sluice.toml.5': filePage(now, exampleFile()),
  };
}

/** A file in the folder docs/man/ of the checkout that this was built in. */
export function manualFile(name: string): string {
  return fileURLToPath(new URL(`../../../../docs/man/${name}`, import.meta.url));
}

/** Without the first line, which is for editors. */
function exampleFile(): string {
  return readFileSync(confFile('minimal.toml'), 'utf8').replace(/^#:schema.*\n/, '');
}
