/** The terminal: draws rows, hands on keys, and leaves it as it was. Knows ansi-escapes. */
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import {
  clearViewport,
  cursorHide,
  cursorShow,
  cursorTo,
  enterAlternativeScreen,
  exitAlternativeScreen,
  synchronizedOutput,
} from 'ansi-escapes';
import type { PressedKey } from './keys.js';
import type { Row, Size } from './rows.js';

export interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** Whether colours are wanted; bold and inverse are none. */
  readonly colours: 'some' | 'none';
}

/** What a key is called where it is more than its letter. */
const NAMED = new Set([
  'up',
  'down',
  'left',
  'right',
  'return',
  'escape',
  'backspace',
  'pageup',
  'pagedown',
  'home',
  'end',
  'space',
]);

interface Keypress {
  readonly name?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

export class Screen {
  readonly #terminal: Terminal;
  readonly #pressed: (text: string | undefined, key: Keypress) => void;
  readonly #resized: () => void;
  readonly #restore = (): void => this.close();
  /** `lent`: the shell has it; `over`: it is given back for good. */
  #terminalIs: 'ours' | 'lent' | 'over' = 'ours';

  /** From here on the terminal is the screen's, until `close`, or the end of the process. */
  constructor(terminal: Terminal, onKey: (key: PressedKey) => void, onResize: () => void) {
    this.#terminal = terminal;
    const { input, output } = terminal;
    this.#pressed = (text, key) => {
      const known = keyOf(text, key);
      if (known !== null) onKey(known);
    };
    this.#resized = () => {
      if (this.#terminalIs === 'ours') output.write(clearViewport);
      onResize();
    };
    process.once('exit', this.#restore);
    emitKeypressEvents(input);
    input.on('keypress', this.#pressed);
    output.on('resize', this.#resized);
    this.#enter();
  }

  /** The shell may use the terminal now. */
  lend(): void {
    if (this.#terminalIs !== 'ours') return;
    this.#terminalIs = 'lent';
    this.#leave();
  }

  /** Takes the terminal again: another program may have set it in another way meanwhile. */
  takeBack(): void {
    if (this.#terminalIs === 'over') return;
    this.#terminalIs = 'ours';
    // Node.js sets no mode that it believes to be set already; the shell has changed it since.
    this.#terminal.input.setRawMode(false);
    this.#enter();
  }

  /** Some terminals say that they have no size: then the usual one. */
  get size(): Size {
    const { columns, rows } = this.#terminal.output;
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  /** All of it each time: another program may have written there. */
  draw(rows: readonly Row[]): void {
    if (this.#terminalIs !== 'ours') return;
    const { columns } = this.size;
    const drawn = rows.map((row, y) => cursorTo(0, y) + this.#styled(row, columns));
    this.#terminal.output.write(synchronizedOutput(drawn.join('')));
  }

  close(): void {
    if (this.#terminalIs === 'over') return;
    const { input, output } = this.#terminal;
    process.removeListener('exit', this.#restore);
    output.off('resize', this.#resized);
    input.off('keypress', this.#pressed);
    this.lend();
    this.#terminalIs = 'over';
  }

  #enter(): void {
    const { input, output } = this.#terminal;
    output.write(enterAlternativeScreen + cursorHide + clearViewport);
    input.setRawMode(true);
    input.resume();
  }

  #leave(): void {
    const { input, output } = this.#terminal;
    input.setRawMode(false);
    input.pause();
    output.write(cursorShow + exitAlternativeScreen);
  }

  /** Padded: what stood there before goes. */
  #styled({ text, tone }: Row, columns: number): string {
    const padded = text + ' '.repeat(Math.max(0, columns - [...text].length));
    if (tone === 'plain') return padded;
    if (tone === 'bold') return styleText('bold', padded);
    if (tone === 'selected') return styleText('inverse', padded);
    if (this.#terminal.colours === 'none') return padded;
    return styleText(({ good: 'green', warning: 'yellow', bad: 'red' } as const)[tone], padded);
  }
}

/** null: a key that means nothing here. */
function keyOf(text: string | undefined, { name, ctrl, meta }: Keypress): PressedKey | null {
  if (ctrl === true) return name === undefined ? null : `ctrl-${name}`;
  if (name === 'enter') return 'return';
  if (name !== undefined && NAMED.has(name)) return name;
  return meta === true || text === undefined || /\p{Cc}/u.test(text) ? null : text;
}
