/** A real authoritative name server (Knot DNS) with one zone, `knot.test`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort, tempFolder } from '../places.js';
import { startChild } from '../process.js';
import { program } from '../require_server.js';

/** `lines` of the zone, after its SOA with a minimum of 7 s; names are relative. */
export async function startKnot(t: Test, lines: readonly string[]): Promise<number> {
  const port = await freePort();
  const folder = tempFolder(t);
  const file = join(folder, 'knot.conf');
  writeFileSync(
    join(folder, 'knot.test.zone'),
    ['$ORIGIN knot.test.', '@ 60 SOA ns.knot.test. me.knot.test. 1 60 60 60 7', ...lines, ''].join(
      '\n',
    ),
  );
  writeFileSync(
    file,
    `server:
  listen: 127.0.0.1@${port}
  rundir: ${folder}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
- target: stderr
  any: info
database:
  storage: ${folder}
template:
- id: default
  storage: ${folder}
zone:
- domain: knot.test
  file: knot.test.zone
`,
  );
  const child = startChild(t, program('knotd'), ['-c', file]);
  await child.stderr.first('the zone is loaded', (line) => /server started/i.test(line));
  return port;
}
