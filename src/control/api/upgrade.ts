/** `POST /v1/upgrade`: the installed program takes this one's place. */
import { err, ok } from '../../core/result.js';
import { USUAL_TIMEOUT_MS } from '../upgrade/upgrades.js';
import type { ApiDeps } from './all.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { refused } from './problem.js';
import { duration, optional, record, text, whole } from './shape.js';

const MOST_MS = 600_000;

export const UPGRADED = record({
  pid: whole('The process that serves now.', 1, Number.MAX_SAFE_INTEGER),
  version: text('Its version.'),
  sessions: whole('What the process before it finishes.', 0, Number.MAX_SAFE_INTEGER),
});

const WHAT = {
  'serves on': 'This process serves on, as if nothing had been.',
  stops: 'This process is stopping, and no other one takes its place.',
  finishes: 'Another process serves: this one finishes its sessions.',
} as const;

export function upgradeEndpoint({ upgrades }: Pick<ApiDeps, 'upgrades'>): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/upgrade',
    summary: 'Starts the installed program in place of this one, which finishes its sessions.',
    may: 'change',
    body: {
      timeout: optional(
        duration(
          'How long the new process may take until it is ready; 60s by default.',
          MOST_MS,
          1,
        ),
      ),
    },
    answer: UPGRADED,
    fails: [409],
    handle: async ({ body: { timeout = USUAL_TIMEOUT_MS }, caller }) => {
      const done = await upgrades.ask({ timeoutMs: timeout, by: caller.name });
      if (done.ok) return ok({ value: done.value });
      const { now, problems } = done.error;
      return err(refused(WHAT[now], problems));
    },
  });
}
