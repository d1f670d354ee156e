/** `sluice ctl upgrade`: the installed program takes over, and no client is refused or cut off. */
import type { ShapeOf } from '../../control/api/shape.js';
import type { UPGRADED } from '../../control/api/upgrade.js';
import type { CtlCommand } from './command.js';
import { timeoutMs } from './wait.js';

type Upgraded = ShapeOf<typeof UPGRADED>;

/** What opening the sockets, or closing them again, may take beyond the timeout. */
const RESERVE_MS = 30_000;

export const upgrade: CtlCommand = {
  name: 'upgrade',
  description: 'the installed program takes over; this process finishes its sessions',
  options: [
    {
      flags: '--timeout <time>',
      description: 'how long the new process may take until it is ready',
      default: '60s',
    },
  ],
  notes:
    'Returns when the new process serves, with the same sockets. One that fails, or is late, is ended, and this one serves on: exit code 1.',
  run: async ({ client, out, words }) => {
    const timeout = String(words['timeout']);
    const limitMs = timeoutMs(timeout) + RESERVE_MS;
    const done = await client.post<Upgraded>('/upgrade', { timeout }, limitMs);
    out.show(done, ({ pid, version, sessions }) => [
      `sluice ${version} serves as process ${pid}; the one before it finishes ${sessions} sessions`,
    ]);
    return 0;
  },
};
