/** A screen of `sluice top` on looks that need no daemon: a program for tests of the terminal. */
import { Live } from '../../../src/cli/top/live.js';
import { Screen } from '../../../src/cli/top/screen.js';
import { systemClock } from '../../../src/system/clock.js';
import { holdingTimers } from '../../../src/system/timers.js';
import { look } from './looks.js';

const screen = new Screen(
  { input: process.stdin, output: process.stdout, colours: 'some' },
  (key) => live.key(key),
  () => live.redraw(),
);
const live = new Live(
  {
    look: async () => look(),
    give: async ({ what, backend }) => `told ${backend}: ${what}`,
    draw: (rows) => screen.draw(rows),
    size: () => screen.size,
    quit: () => {
      screen.close();
      process.stdout.write(`left, raw mode ${process.stdin.isRaw}\n`);
    },
    suspend: () => {
      screen.lend();
      screen.takeBack();
    },
    everyMs: 60_000,
    clock: systemClock,
    timers: holdingTimers,
  },
  look(),
);
live.start();
