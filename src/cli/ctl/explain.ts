/** `sluice ctl explain` and how an explanation reads; `sluice explain` shows the same of a file. */
import type { EXPLANATION } from '../../control/api/explain.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { NO_CHOICE } from '../../core/questions.js';
import { routeOptions, toldBy } from '../explain_options.js';
import type { CtlCommand } from './command.js';
import { account, subject } from './orders.js';
import type { TextRows } from './output.js';

export type ExplainAnswer = ShapeOf<typeof EXPLANATION>;

export const explain: CtlCommand = {
  name: 'explain',
  description: 'which backend a client would get now, and why',
  positionals: [
    { usage: '<listener>', description: 'where the client comes in', values: 'listener' },
    { usage: '<client>', description: 'its address, with a port or without' },
  ],
  options: routeOptions,
  run: async ({ client, out, words, rest: [listener, address] }) => {
    const { serverName, ...told } = toldBy(words);
    const query = { listener, client: address, server_name: serverName, ...told };
    out.show(await client.get<ExplainAnswer>('/explain', query), explained);
    return 0;
  },
};

/** `POOL/*` may be drained: the rest is for `sluice ctl overrides`. */
const MAX_OVERRIDES_TOLD = 10;

/** Without the rule where no backend is chosen: the outcome and the table say why already. */
export function explained(
  { route, chosen, rule, outcome, backends, overrides }: ExplainAnswer,
  fit: (rows: TextRows) => readonly string[],
): readonly string[] {
  const rows = backends.map(({ backend, eligible, reason, score }) => [
    `${backend === chosen ? '>' : ' '} ${backend}`,
    eligible ? 'eligible' : (reason ?? ''),
    score === null ? '-' : String(Math.round(score * 1000) / 1000),
  ]);
  if (backends.length === 0) return [route, outcome];
  const ruled = rule === NO_CHOICE ? [] : [rule];
  const table = fit([['  BACKEND', 'ELIGIBLE', 'SCORE'], ...rows]);
  return [route, outcome, ...ruled, ...deviations(overrides), '', ...table];
}

/** `pg/a: cap 5 instead of 0 by ada: one is down (since 2026-11-29T18:12:00Z)`. */
function deviations(all: ExplainAnswer['overrides']): readonly string[] {
  const told = all.slice(0, MAX_OVERRIDES_TOLD).map((one) => `${subject(one)}: ${account(one)}`);
  const more = all.length - told.length;
  return more === 0 ? told : [...told, `and ${more} more: \`sluice ctl overrides\``];
}
