/** `sluice ctl reload`: reads the configuration file again, and prints the difference. */
import type { DIFFERENCE } from '../../control/api/reload.js';
import type { ShapeOf } from '../../control/api/shape.js';
import type { CtlCommand } from './command.js';

type Difference = ShapeOf<typeof DIFFERENCE>;

export const reload: CtlCommand = {
  name: 'reload',
  description: 'read the configuration file again, and print what that changes',
  options: [{ flags: '--dry-run', description: 'change nothing: only print the difference' }],
  run: async ({ client, out, words }) => {
    const dryRun = words['dryRun'] === true;
    const difference = await client.post<Difference>('/reload', { dry_run: dryRun });
    out.show(difference, lines);
    for (const warning of difference.warnings) out.complain(warning);
    return 0;
  },
};

function lines({ added, removed, changed, needs_restart }: Difference): readonly string[] {
  const told = [
    ...added.map((name) => `+ ${name}`),
    ...removed.map((name) => `- ${name}`),
    ...changed.map((name) => `~ ${name}`),
    ...needs_restart,
  ];
  return told.length === 0 ? ['nothing changes'] : told;
}
