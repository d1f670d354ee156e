/** A real nginx with given `stream` and `http` blocks. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually } from '../deadline.js';
import { tempFolder } from '../places.js';
import { type Child, startChild } from '../process.js';
import { program } from '../require_server.js';

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Starts nginx; `blocks` are top-level blocks (stream {…}, http {…}). Resolves when it serves. */
export async function startNginx(t: Test, blocks: string): Promise<Child> {
  const folder = tempFolder(t);
  const file = join(folder, 'nginx.conf');
  const pid = join(folder, 'nginx.pid');
  const module = existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};` : '';
  writeFileSync(
    file,
    `${module}
daemon off;
worker_processes 1;
pid ${pid};
error_log stderr warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
${blocks}
`,
  );
  const args = ['-p', folder, '-e', 'stderr', '-c', file];
  const child = startChild(t, program('nginx'), args, { endSignal: 'SIGQUIT' });
  // The pid file is written after all sockets are bound.
  await eventually('nginx serves', () => {
    if (!child.running) throw new Error(child.stderr.past.join(' | '));
    return existsSync(pid) ? true : undefined;
  });
  return child;
}
