/** `sluice ctl discovery`: where backends come from beside the file. */
import { span } from '../../admin/table.js';
import type { DISCOVERY } from '../../control/api/discovery.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { few } from '../../core/few.js';
import { systemClock } from '../../system/clock.js';
import type { CtlCommand } from './command.js';

/** Names in a line. */
const MAX_HELD = 8;

type Discovery = ShapeOf<typeof DISCOVERY>;

export const discovery: CtlCommand = {
  name: 'discovery',
  description: 'the sources of backends: what came last, and what is held back',
  options: [],
  run: async ({ client, out }) => {
    out.show(await client.get<Discovery>('/discovery'), ({ items }, fit) => {
      if (items.length === 0) return ['no pool has a source of backends'];
      const heads = ['POOL', 'SOURCE', 'STATE', 'SINCE', 'ANSWERED', 'NEXT', 'MEMBERS', 'HELD', ''];
      const rows = items.map((one) => [
        one.pool,
        one.source,
        one.state,
        ago(one.since),
        ago(one.counted),
        one.next === null ? 'now' : `in ${span(Date.parse(one.next) - systemClock.wallMs())}`,
        String(one.members),
        one.held.length === 0 ? '-' : few(one.held, MAX_HELD).join(' '),
        one.reason,
      ]);
      return fit([heads, ...rows]);
    });
    return 0;
  },
};

function ago(time: string | null): string {
  return time === null ? '-' : span(systemClock.wallMs() - Date.parse(time));
}
