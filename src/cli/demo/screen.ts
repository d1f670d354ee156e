/** Shows pictures: drawn over each other on a terminal, as one line after the other elsewhere. */
import type { LineSink } from '../check.js';
import { type Moment, picture, pictureLine } from './picture.js';

/** process.stdout is such. */
export interface DemoTerminal extends LineSink {
  readonly isTTY?: boolean;
  /** 0: it does not know. */
  readonly columns?: number;
}

export class DemoScreen {
  readonly #out: DemoTerminal;
  #drawnLines = 0;

  constructor(out: DemoTerminal) {
    this.#out = out;
  }

  /** How often a new picture is worth it. */
  get intervalMs(): number {
    return this.#out.isTTY === true ? 500 : 1_000;
  }

  show(moment: Moment): void {
    if (this.#out.isTTY !== true) {
      this.#out.write(`${pictureLine(moment)}\n`);
      return;
    }
    // A line that wraps would count as two.
    const width = this.#out.columns || Number.POSITIVE_INFINITY;
    const lines = picture(moment).map((line) => line.slice(0, width));
    this.#out.write(`${this.#back()}${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
  }

  /** ECMA-48: CUU moves the cursor up, ED erases from there to the end of the screen. */
  #back(): string {
    return this.#drawnLines === 0 ? '' : `\x1b[${this.#drawnLines}A\x1b[J`;
  }
}
