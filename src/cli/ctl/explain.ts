/** `sluice ctl explain` and how an explanation reads; `sluice explain` shows the same of a file. */
import type { EXPLANATION } from '../../control/api/explain.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { routeOptions, toldBy } from '../explain_options.js';
import type { CtlCommand } from './command.js';
import type { TextRows } from './output.js';

export type ExplainAnswer = ShapeOf<typeof EXPLANATION>;

export const explain: CtlCommand = {
  name: 'explain',
  description: 'which backend a client would get now, and why',
  positionals: [
    { usage: '<listener>', description: 'where the client comes in' },
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

export function explained(
  { route, chosen, rule, outcome, backends }: ExplainAnswer,
  fit: (rows: TextRows) => readonly string[],
): readonly string[] {
  const rows = backends.map(({ backend, eligible, reason, score }) => [
    `${backend === chosen ? '>' : ' '} ${backend}`,
    eligible ? 'eligible' : (reason ?? ''),
    score === null ? '-' : String(Math.round(score * 1000) / 1000),
  ]);
  if (backends.length === 0) return [route, outcome];
  return [route, outcome, rule, '', ...fit([['  BACKEND', 'ELIGIBLE', 'SCORE'], ...rows])];
}
