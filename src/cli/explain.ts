/** `sluice explain`: which backend a client would get, from a file alone. */
import { parseClient } from '../config/client_word.js';
import { formatIssue } from '../config/issue.js';
import { readConfig } from '../config/read_config.js';
import { nothingNamed } from '../control/api/names.js';
import { faultsOf } from '../control/api/problem.js';
import { refusedView } from '../control/explaining.js';
import { barredByFile } from '../control/file_barring.js';
import { choiceByFile } from '../control/file_choice.js';
import { askingOf, contradictionIn, routeOf } from '../control/route_choice.js';
import { addressKey } from '../core/address_key.js';
import type { Spec } from '../core/spec.js';
import { systemClock } from '../system/clock.js';
import { systemRandom } from '../system/random.js';
import { holdingTimers, systemTimers } from '../system/timers.js';
import { explained } from './ctl/explain.js';
import { Output } from './ctl/output.js';
import { toldBy } from './explain_options.js';
import type { Words } from './word_reader.js';

/**
 * The exit code: 0 explained, 1 the file is bad, or has no such listener, 2 the words are wrong.
 */
export async function explain(file: string, words: Words): Promise<0 | 1 | 2> {
  const form = words['json'] === true ? 'json' : 'text';
  const out = new Output(process.stdout, process.stderr, form);
  const client = parseClient(String(words['client']));
  if (!client.ok) {
    out.complain(`sluice: client ${String(words['client'])}: ${faultsOf(client)}`);
    return 2;
  }
  const told = toldBy(words);
  const contradiction = contradictionIn(told);
  if (contradiction !== null) {
    out.complain(`sluice: ${contradiction}`);
    return 2;
  }
  const config = await readConfig(file, systemTimers, '-c');
  if (!config.ok) {
    for (const issue of config.error) out.complain(formatIssue(issue));
    return 1;
  }
  const { spec } = config.value;
  const name = String(words['listener']);
  const listener = spec.listeners.find((one) => one.name === name);
  if (listener === undefined) return unknown(spec, name, out);
  const deps = { timers: holdingTimers, clock: systemClock, tried: 'once' } as const;
  const barring = await barredByFile(listener, client.value, deps);
  if (!barring.ok) {
    out.complain(`sluice: listener ${name}: ${barring.error}`);
    return 1;
  }
  const { barred, ...notes } = barring.value;
  const clientKey = addressKey(client.value);
  const route = routeOf(listener, askingOf(client.value, told));
  const pool = spec.pools.find((one) => one.name === route.pool);
  const parts = { clientKey, clock: systemClock, random: systemRandom };
  const { backends, ...choice } =
    pool === undefined
      ? refusedView(name, route.sentence, barred)
      : choiceByFile({ listener, pool, route: route.sentence, barred, ...parts });
  const shown = backends.map(({ name: backend, reason, score }) => {
    return { backend, eligible: reason === null, reason, score };
  });
  out.show({ ...choice, ...notes, backends: shown, overrides: [] }, (all, fit) => {
    const [first = '', ...rest] = explained(all, fit);
    return [first, ...[all.access, all.limits].filter((note) => note !== ''), ...rest];
  });
  return 0;
}

function unknown({ listeners }: Spec, name: string, out: Output): 1 {
  const known = listeners.map((one) => one.name);
  out.complain(`sluice: ${nothingNamed('listener', name, known).detail}`);
  return 1;
}
