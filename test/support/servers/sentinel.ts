/** Real Redis sentinels that watch one primary as `mymaster`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { eventually } from '../deadline.js';
import { freePort, tempFolder } from '../places.js';
import { type Child, startChild } from '../process.js';
import { program } from '../require_server.js';
import { redisCommand } from './redis.js';

export interface Sentinel {
  readonly port: number;
  readonly child: Child;
}

/** `count` of them, which know of each other when this resolves; two must agree on a failover. */
export async function startSentinels(
  t: Test,
  primaryPort: number,
  count: number,
): Promise<readonly Sentinel[]> {
  const all = await Promise.all(
    Array.from({ length: count }, async () => {
      const port = await freePort();
      const file = join(tempFolder(t), 'sentinel.conf');
      writeFileSync(
        file,
        `port ${port}
bind 127.0.0.1
sentinel monitor mymaster 127.0.0.1 ${primaryPort} 2
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 3000
`,
      );
      const child = startChild(t, program('redis-server'), [file, '--sentinel']);
      return { port, child };
    }),
  );
  await Promise.all(
    all.map(({ port }) =>
      eventually(`sentinel ${port} knows the others`, async () => {
        const info = await redisCommand(port, 'info', 'sentinel');
        return new RegExp(`status=ok.*slaves=2.*sentinels=${count}`).test(info) ? true : undefined;
      }),
    ),
  );
  return all;
}
