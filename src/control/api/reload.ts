/** `POST /v1/reload`: reads the file again, and answers what it changes. */

import { err, ok } from '../../core/result.js';
import type { ApiDeps } from './all.js';
import { type ApiEndpoint, endpoint } from './endpoint.js';
import { refused } from './problem.js';
import { flag, list, optional, record, text } from './shape.js';

const names = (doc: string) => list(doc, text('`listener app`, `pool app` or `backend app/a`.'));

export const DIFFERENCE = record({
  dry_run: flag('Nothing was changed: this is what a reload would do.'),
  added: names('What is new.'),
  removed: names('What is gone from the file.'),
  changed: names('What stays with other settings, and sections: `daemon`, `log`, `admin`.'),
  needs_restart: list('Keys that take effect only after a restart.', text('A sentence.', 2_000)),
  warnings: list('What `sluice check` warns of in the file.', text('One of them.', 2_000)),
});

const NOTHING_DONE = 'Nothing is reloaded';

type Deps = Pick<ApiDeps, 'inUse' | 'reloads' | 'daemon'>;

export function reloadEndpoint({ inUse, reloads, daemon }: Deps): ApiEndpoint {
  return endpoint({
    method: 'POST',
    path: '/reload',
    summary: 'Reads the configuration file again, or says what that would change.',
    may: 'change',
    body: { dry_run: optional(flag('true: change nothing, and say what a reload would do.')) },
    answer: DIFFERENCE,
    fails: [409],
    handle: async ({ body: { dry_run = false }, caller }) => {
      const done = await (dry_run
        ? inUse.preview(daemon)
        : reloads.ask({ signal: null, by: caller.name }));
      if (!done.ok) {
        // A stop, or another process that serves now, has outranked it: no fault of the file.
        const isOfFile = daemon.phase === 'serving';
        const said = isOfFile ? 'The file is refused; what is in use stays in use' : NOTHING_DONE;
        return err(refused(`${said}.`, done.error));
      }
      const { added, removed, changed, needsRestart } = done.value;
      const stuck = dry_run ? [] : daemon.fleet.stuck();
      const warnings = [...done.value.warnings, ...stuck];
      const value = { dry_run, added, removed, changed, needs_restart: needsRestart, warnings };
      return ok({ value });
    },
  });
}
