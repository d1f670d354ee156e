/** `sluice top`: a running daemon, live in the terminal. */
import { parseDuration } from '../../config/quantity.js';
import { endNow } from '../../control/ending.js';
import { systemClock } from '../../system/clock.js';
import { onSignal } from '../../system/signals.js';
import { holdingTimers } from '../../system/timers.js';
import { Client, CtlFailure } from '../ctl/client.js';
import { terminalSafe } from '../ctl/output.js';
import type { Words } from '../word_reader.js';
import { give, look } from './feed.js';
import { Live } from './live.js';
import { Screen } from './screen.js';
import type { Look } from './state.js';

const LEAST_MS = 200;
const MOST_MS = 60_000;
const OTHERS = '`sluice ctl status` and `sluice ctl pools` need none';

/** Ends the process when the user leaves, or a signal comes; answers the code of a failure. */
export async function top(words: Words): Promise<1 | 2> {
  const everyMs = parseDuration(String(words['every']));
  if (everyMs === null || everyMs < LEAST_MS || everyMs > MOST_MS) {
    return complain(`--every ${words['every']}: expected a time from 200ms to 1m`, 2);
  }
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY || !output.isTTY) {
    return complain(`top needs a terminal; ${OTHERS}`, 1);
  }
  if (process.env['TERM'] === 'dumb') {
    return complain(`this terminal has no screen to draw on (TERM=dumb); ${OTHERS}`, 1);
  }
  const client = new Client(String(words['socket']));
  try {
    // Before the screen is taken: what is wrong with the socket stays readable.
    const first = await look(client, { is: 'overview' }, systemClock);
    const said = await show(client, first, everyMs);
    if (said !== '') process.stdout.write(`${terminalSafe(said)}\n`);
    // A look whose answer does not come must not keep the user here.
    process.exit(0);
  } catch (error) {
    if (!(error instanceof CtlFailure)) throw error;
    return complain(error.message, 1);
  }
}

/** Answers what became of an order that was on its way when the user left; '': there was none. */
function show(client: Client, first: Look, everyMs: number): Promise<string> {
  return new Promise((resolve) => {
    const { stdin: input, stdout: output } = process;
    // Knows NO_COLOR, and terminals that have none.
    const colours = output.getColorDepth() > 1 ? 'some' : 'none';
    const screen = new Screen(
      { input, output, colours },
      (key) => live.key(key),
      () => live.redraw(),
    );
    const again = (): void => {
      screen.takeBack();
      live.redraw();
    };
    const suspend = (): void => {
      screen.lend();
      // The process stands still in here; without a shell that could bring it back it does not.
      process.kill(process.pid, 'SIGTSTP');
      again();
    };
    const quit = (): void => {
      live.stop();
      screen.close();
      // From here on Ctrl-C ends it at once.
      for (const release of releases) release();
      resolve(live.settled());
    };
    const live = new Live(
      {
        look: (view) => look(client, view, systemClock),
        give: (order) => give(client, order),
        draw: (rows) => screen.draw(rows),
        size: () => screen.size,
        quit,
        suspend,
        everyMs,
        clock: systemClock,
        timers: holdingTimers,
      },
      first,
    );
    const releases = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((one) => onSignal(one, quit));
    // It may have been stopped from outside, too.
    process.on('SIGCONT', again);
    // A terminal that is gone ends, or fails to be read, and cannot be set back: not by the screen,
    // and not by Node.js, which crashes over it as it exits (seen with 20).
    for (const event of ['end', 'error'] as const) input.on(event, () => endNow(0));
    live.start();
  });
}

function complain<Code extends 1 | 2>(sentence: string, code: Code): Code {
  process.stderr.write(`sluice: ${terminalSafe(sentence)}\n`);
  return code;
}
