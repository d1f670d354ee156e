/** `sluice ctl status`: the daemon as a whole. */
import { span } from '../../admin/table.js';
import type { ShapeOf } from '../../control/api/shape.js';
import type { STATUS } from '../../control/api/status.js';
import type { CtlCommand } from './command.js';

type Status = ShapeOf<typeof STATUS>;

export const status: CtlCommand = {
  name: 'status',
  description: 'what runs, since when, how much, and what is wrong',
  options: [],
  run: async ({ client, out }) => {
    out.show(await client.get<Status>('/status'), lines);
    return 0;
  },
};

function lines(view: Status): readonly string[] {
  const since = (time: string): string => span(Date.parse(view.now) - Date.parse(time));
  const why = view.engine_reason === '' ? '' : ` (${view.engine_reason})`;
  return [
    `sluice ${view.version}, process ${view.pid}, ${view.phase}, up ${since(view.started)}`,
    `engine ${view.engine}${why}, ${count(view.workers, 'worker')}`,
    `configuration ${view.config_hash}, read ${since(view.configured)} ago`,
    `${count(view.listeners, 'listener')}, ${count(view.pools, 'pool')}, ` +
      `${view.backends_eligible} of ${count(view.backends, 'backend')} eligible`,
    `${count(view.sessions_active, 'session')} now, ${view.sessions_total} so far, ` +
      `${view.refused_total} refused`,
    ...(view.overrides === 0
      ? []
      : [`${count(view.overrides, 'override')}: \`sluice ctl overrides\` says what deviates`]),
    ...view.trouble.map((sentence) => `! ${sentence}`),
    ...view.notes.map((sentence) => `- ${sentence}`),
  ];
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
