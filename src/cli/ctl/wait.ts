/** `sluice ctl wait`: until a backend is as it shall be. */
import { parseDuration } from '../../config/quantity.js';
import type { BACKENDS } from '../../control/api/lists.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { systemClock } from '../../system/clock.js';
import { pause } from '../../system/timers.js';
import { type Client, CtlFailure, WrongWords } from './client.js';
import type { CtlCommand } from './command.js';

type Backend = ShapeOf<typeof BACKENDS>['items'][number];

/** The daemon answers in a millisecond, and a person or a script waits for the command. */
const LOOK_MS = 100;

const GOALS: Readonly<Record<string, (backend: Backend) => boolean>> = {
  drained: ({ state, active, weight_effective: weight }) => {
    const isOut = ['drained', 'maintenance', 'leaving'].includes(state) || weight === 0;
    return isOut && active === 0;
  },
  up: ({ state }) => state === 'up' || state === 'degraded' || state === 'full',
  eligible: ({ eligible }) => eligible,
};
const GOAL_NAMES = Object.keys(GOALS).join(', ');

export const wait: CtlCommand = {
  name: 'wait',
  description: 'wait until a backend is drained, up or eligible',
  positionals: [
    { usage: '<backend>', description: 'POOL/BACKEND', values: 'backend' },
    { usage: '<goal>', description: GOAL_NAMES, values: Object.keys(GOALS) },
  ],
  options: [{ flags: '--timeout <time>', description: 'give up after this long', default: '60s' }],
  notes: 'Exit code 1 at the timeout. A backend that has left is drained.',
  run: async ({ client, out, words, rest: [name = '', goal = ''] }) => {
    await waitFor(client, name, goal, String(words['timeout']));
    out.show({ backend: name, is: goal }, ({ backend, is }) => [`${backend} is ${is}`]);
    return 0;
  },
};

export async function waitFor(
  client: Client,
  name: string,
  goal: string,
  timeout: string,
): Promise<void> {
  const isThere = GOALS[goal];
  if (isThere === undefined) throw noGoal(name, goal);
  const untilMs = systemClock.nowMs() + timeoutMs(timeout);
  let last: Backend | null = null;
  for (;;) {
    const found = await look(client, name, last);
    if (found === 'gone') {
      if (goal === 'drained') return;
      throw new CtlFailure(`${name} has left`);
    }
    if (isThere(found)) return;
    last = found;
    if (systemClock.nowMs() >= untilMs) break;
    await pause(LOOK_MS);
  }
  const why = last.reason === '' ? '' : `: ${last.reason}`;
  const told = `${last.state}, ${last.active} sessions${why}`;
  throw new CtlFailure(`${name} is not ${goal} after ${timeout} (${told})`);
}

function noGoal(name: string, goal: string): WrongWords {
  return GOALS[name] === undefined
    ? new WrongWords(`a backend is waited for until it is one of ${GOAL_NAMES}; got "${goal}"`)
    : new WrongWords(`the backend comes first: sluice ctl wait ${goal} ${name}`);
}

/** Of `--timeout`, or a complaint. */
export function timeoutMs(word: string): number {
  const ms = parseDuration(word);
  if (ms !== null) return ms;
  throw new WrongWords(`--timeout: expected a time such as 30s or 10m; got "${word}"`);
}

/** One that was there before and is not any more is gone; one that never was is an error. */
async function look(client: Client, name: string, last: Backend | null): Promise<Backend | 'gone'> {
  try {
    const { items } = await client.get<ShapeOf<typeof BACKENDS>>('/backends', { backend: name });
    return items.find(({ state }) => state !== 'leaving') ?? items[0] ?? 'gone';
  } catch (error) {
    if (last === null || !(error instanceof CtlFailure)) throw error;
    return error.status === 404 ? 'gone' : Promise.reject(error);
  }
}
