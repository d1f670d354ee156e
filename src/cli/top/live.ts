/** The loop of `sluice top`: looks, keys and orders change one state, which is drawn. */
import type { Clock, Timer, Timers } from '../../core/clock.js';
import { CtlFailure } from '../ctl/client.js';
import { type PressedKey, press } from './keys.js';
import { type Row, rows, type Size } from './rows.js';
import {
  BEGUN,
  type Look,
  looked,
  lookFailed,
  type Mode,
  type Order,
  type State,
  told,
  type View,
} from './state.js';

export interface TopLoopDeps {
  readonly look: (view: View) => Promise<Look>;
  readonly give: (order: Order) => Promise<string>;
  readonly draw: (rows: readonly Row[]) => void;
  readonly size: () => Size;
  /** Called once, when the user wants to leave. */
  readonly quit: () => void;
  /** The shell gets the terminal, until it brings this back. */
  readonly suspend: () => void;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A daemon whose answer takes long is asked less often: this part of the time, at most. */
const SHARE_OF_TIME = 1 / 10;

export class Live {
  readonly #deps: TopLoopDeps;
  #state: State;
  /** On the screen: only a question that could be read has an answer. */
  #drawn: Mode | null = null;
  #isDue = false;
  #looking: 'no' | 'yes' | 'again' = 'no';
  #timer: Timer | null = null;
  #isOver = false;
  /** Orders whose answer is on its way. */
  #giving = 0;
  readonly #waiting: ((said: string) => void)[] = [];

  constructor(deps: TopLoopDeps, first: Look) {
    this.#deps = deps;
    this.#state = looked(BEGUN, first);
  }

  start(): void {
    this.#show();
    this.#await(this.#deps.everyMs);
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  /** When no order is on its way: what became of it, or '' where there was none. */
  settled(): Promise<string> {
    if (this.#giving === 0) return Promise.resolve('');
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** What is on the screen may not be there any more. */
  redraw(): void {
    this.#show();
  }

  key(key: PressedKey): void {
    if (this.#isOver) return;
    const { mode } = this.#state;
    // Text that is pasted comes at once: it must not ask and answer by itself.
    const isUnread = mode.is === 'asking' && mode !== this.#drawn && !key.startsWith('ctrl-');
    const { state, effect } = press(this.#state, isUnread ? 'escape' : key);
    this.#state = state;
    if (effect.is === 'quit') {
      this.stop();
      this.#deps.quit();
      return;
    }
    if (effect.is === 'suspend') this.#deps.suspend();
    if (effect.is === 'look') void this.#look();
    if (effect.is === 'order') void this.#give(effect.order);
    this.#show();
  }

  async #look(): Promise<void> {
    if (this.#looking !== 'no') {
      this.#looking = 'again';
      return;
    }
    this.#looking = 'yes';
    this.#timer?.cancel();
    const { clock, look, everyMs } = this.#deps;
    const { view } = this.#state;
    const sinceMs = clock.nowMs();
    try {
      const found = await look(view);
      const sessions = sameSessions(view, this.#state.view) ? found.sessions : null;
      this.#state = looked(this.#state, { ...found, sessions });
    } catch (error) {
      this.#state = lookFailed(this.#state, sentenceOf(error));
    }
    const isAgain = this.#isAskedAgain();
    this.#looking = 'no';
    if (this.#isOver) return;
    this.#show();
    if (isAgain) void this.#look();
    else this.#await(Math.max(everyMs, (clock.nowMs() - sinceMs) / SHARE_OF_TIME));
  }

  /** The user may have asked again while the answer was on its way. */
  #isAskedAgain(): boolean {
    return this.#looking === 'again';
  }

  async #give(order: Order): Promise<void> {
    this.#giving++;
    try {
      this.#state = told(this.#state, await this.#deps.give(order));
    } catch (error) {
      this.#state = told(this.#state, sentenceOf(error));
    }
    this.#giving--;
    if (this.#giving === 0) {
      for (const resolve of this.#waiting.splice(0)) resolve(this.#state.said);
    }
    if (this.#isOver) return;
    this.#show();
    void this.#look();
  }

  #await(delayMs: number): void {
    this.#timer = this.#deps.timers.after(delayMs, () => void this.#look());
  }

  /** Once for all keys that came together. */
  #show(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (this.#isOver) return;
      this.#drawn = this.#state.mode;
      this.#deps.draw(rows(this.#state, this.#deps.size()));
    });
  }
}

function sameSessions(asked: View, shown: View): boolean {
  if (asked.is === 'overview' || shown.is === 'overview') return false;
  return asked.of.kind === shown.of.kind && asked.of.name === shown.of.name;
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof CtlFailure)) throw error;
  return [error.message, ...error.more].join('; ');
}
