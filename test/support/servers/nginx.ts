/** A real nginx with given `stream` and `http` blocks. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually } from '../deadline.js';
import { tempFolder } from '../places.js';
import { type Child, startChild } from '../process.js';
import { program } from '../require_server.js';
import type { ProxyCommand } from './haproxy.js';

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** nginx with `blocks` (stream {…}, http {…}) at the top of its configuration, in `folder`. */
export function nginxCommand(folder: string, blocks: string): ProxyCommand {
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
  return {
    command: [program('nginx'), '-p', folder, '-e', 'stderr', '-c', file],
    // The pid file is written after all sockets are bound.
    serves: (child) =>
      eventually('nginx serves', () => {
        if (!child.running) throw new Error(child.stderr.past.join(' | '));
        return existsSync(pid) ? true : undefined;
      }),
  };
}

/** Starts nginx; `blocks` are top-level blocks (stream {…}, http {…}). Resolves when it serves. */
export async function startNginx(t: Test, blocks: string): Promise<Child> {
  const { command, serves } = nginxCommand(tempFolder(t), blocks);
  const [first = '', ...rest] = command;
  const child = startChild(t, first, rest, { endSignal: 'SIGQUIT' });
  await serves(child);
  return child;
}
