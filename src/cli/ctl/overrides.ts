/** `sluice ctl overrides`: what deviates from the file, who changed it, and until when. */
import { span } from '../../admin/table.js';
import type { OVERRIDES } from '../../control/api/overrides.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { deviationText } from '../../core/deviation.js';
import { systemClock } from '../../system/clock.js';
import type { CtlCommand } from './command.js';
import { subject } from './orders.js';

type Overrides = ShapeOf<typeof OVERRIDES>;

export const overrides: CtlCommand = {
  name: 'overrides',
  description: 'what deviates from the file: who changed it, why and until when',
  options: [],
  run: async ({ client, out }) => {
    out.show(await everything(client.get.bind(client)), ({ items }, fit) => {
      if (items.length === 0) return ['nothing deviates from the file'];
      const heads = ['BACKEND', 'WHAT', 'BY', 'SINCE', 'UNTIL', 'BECAUSE'];
      const rows = items.map((one) => [
        subject(one),
        deviationText(one),
        one.by,
        span(systemClock.wallMs() - Date.parse(one.since)),
        one.until === null ? '-' : `in ${span(Date.parse(one.until) - systemClock.wallMs())}`,
        one.because,
      ]);
      return fit([heads, ...rows]);
    });
    return 0;
  },
};

/** All pages in one. */
async function everything(
  get: (path: string, query: { cursor?: string }) => Promise<Overrides>,
): Promise<Overrides> {
  const items: Overrides['items'][number][] = [];
  let cursor: string | null = '0';
  while (cursor !== null) {
    const page: Overrides = await get('/overrides', { cursor });
    items.push(...page.items);
    cursor = page.next;
  }
  return { items, next: null };
}
