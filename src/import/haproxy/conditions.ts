/** `.if`, `.elif`, `.else` and `.endif`: which lines of an HAProxy file count. */
import { placeText, type Statement } from '../statement.js';

type Truth = 'yes' | 'no' | 'unknown';

interface Block {
  readonly opened: Statement;
  /** The branch that the reader is in. */
  now: Truth;
  /** Whether one of the branches so far was taken. */
  taken: Truth;
}

/** Lines that only say something while HAProxy starts. */
const MESSAGES = new Set(['.diag', '.notice', '.warning', '.alert']);

export class Conditions {
  readonly #variables: ReadonlyMap<string, string>;
  readonly #open: Block[] = [];

  constructor(variables: ReadonlyMap<string, string>) {
    this.#variables = variables;
  }

  /** A line that begins with a dot; the answer is a problem, or null. */
  take(statement: Statement): string | null {
    const [word = ''] = statement.values(0);
    if (MESSAGES.has(word)) {
      statement.part().idle('a message of the start');
      return null;
    }
    const block = this.#open.at(-1);
    if (word === '.if') {
      const now = this.#truth(statement.values(1).join(' '));
      this.#open.push({ opened: statement, now, taken: now });
      return this.#decide(statement, now);
    }
    if (block === undefined) return `${word} without an .if`;
    if (word === '.endif') {
      this.#open.pop();
      return this.#decide(statement, block.opened === statement ? block.now : 'yes');
    }
    if (word !== '.elif' && word !== '.else') return `${word} is not known`;
    const own = word === '.else' ? 'yes' : this.#truth(statement.values(1).join(' '));
    block.now = otherwise(block.taken, own);
    if (block.taken !== 'yes' && block.now !== 'no') block.taken = block.now;
    return this.#decide(statement, block.now);
  }

  /** True: the line is in a branch that does not count, and is marked so. */
  hides(statement: Statement): boolean {
    const block = this.#open.find(({ now }) => now !== 'yes');
    if (block === undefined) return false;
    const where = placeText(block.opened.place);
    const part = statement.part();
    if (block.now === 'no') part.idle(`the condition at ${where} is not fulfilled`);
    else part.dropped(`it depends on the condition at ${where}, which is not evaluated`);
    return true;
  }

  unclosed(): Statement | null {
    return this.#open.at(-1)?.opened ?? null;
  }

  #decide(statement: Statement, truth: Truth): null {
    const part = statement.part();
    if (truth === 'unknown') part.dropped('a condition that is not evaluated');
    else if (statement.words.length === 1) part.idle('a mark of a condition');
    else part.changed(`decided at the import: ${truth === 'yes' ? 'fulfilled' : 'not fulfilled'}`);
    return null;
  }

  #truth(text: string): Truth {
    const match = /^(!?)\s*(?:([01])|defined\(\s*([\w.]+)\s*\)|streq\(([^,()]*),([^,()]*)\))$/.exec(
      text.trim(),
    );
    if (match === null) return 'unknown';
    const [, not, digit, name, one, other] = match;
    const holds =
      digit !== undefined
        ? digit === '1'
        : name !== undefined
          ? this.#variables.has(name)
          : bare(one) === bare(other);
    return holds === (not === '') ? 'yes' : 'no';
  }
}

function bare(text = ''): string {
  return text.trim().replace(/^["']|["']$/g, '');
}

/** A later branch counts only if no earlier one did. */
function otherwise(taken: Truth, own: Truth): Truth {
  if (taken === 'yes') return 'no';
  if (taken === 'unknown') return own === 'no' ? 'no' : 'unknown';
  return own;
}
