/** A real HAProxy with a given configuration. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { tempFolder } from '../places.js';
import { type Child, startChild } from '../process.js';
import { program } from '../require_server.js';

const PREAMBLE = `global
  maxconn 2000
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
`;

export interface ProxyCommand {
  readonly command: readonly string[];
  /** Resolves when what was started by it serves. */
  readonly serves: (child: Child) => Promise<unknown>;
}

/** HAProxy with all of its configuration, which is put into `folder`. */
export function haproxyCommand(folder: string, text: string): ProxyCommand {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, text);
  return {
    command: [program('haproxy'), '-W', '-f', file],
    // Worker mode says on stderr when the worker runs; all sockets were bound before.
    serves: ({ stderr }) => stderr.first('HAProxy serves', (line) => /Loading success/.test(line)),
  };
}

/** Starts HAProxy with `sections` (frontends, listens, backends); resolves when it serves. */
export async function startHaproxy(t: Test, sections: string): Promise<Child> {
  const { command, serves } = haproxyCommand(tempFolder(t), `${PREAMBLE}${sections}\n`);
  const [first = '', ...rest] = command;
  const child = startChild(t, first, rest);
  await serves(child);
  return child;
}
