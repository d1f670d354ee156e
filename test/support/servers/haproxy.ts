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

/** Starts HAProxy with `sections` (frontends, listens, backends); resolves when it serves. */
export async function startHaproxy(t: Test, sections: string): Promise<Child> {
  const file = join(tempFolder(t), 'haproxy.cfg');
  writeFileSync(file, `${PREAMBLE}${sections}\n`);
  const child = startChild(t, program('haproxy'), ['-W', '-f', file]);
  // Worker mode tells on stderr when the worker runs; all sockets were bound before.
  await child.stderr.first('HAProxy serves', (line) => /Loading success/.test(line));
  return child;
}
