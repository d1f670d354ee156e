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
    switch (statement.value(0)) {
      case '.if':
        return this.#if(statement);
      case '.elif':
      case '.else':
      case '.endif':
        return this.#next(statement);
    }
    // HAProxy reads no word of a line that does not count, but these.
    if (this.hides(statement)) return null;
    if (!MESSAGES.has(statement.value(0))) return `${statement.value(0)} is not known`;
    statement.part().idle('a message that HAProxy writes at its start');
    return null;
  }

  /** True: the line is in a branch that does not count, and is marked so. */
  hides(statement: Statement): boolean {
    return hiddenBy(this.#open, statement);
  }

  unclosed(): Statement | null {
    return this.#open.at(-1)?.opened ?? null;
  }

  #if(statement: Statement): null {
    const isHidden = this.hides(statement);
    // An unknown one hides its lines, and those that do not count in any case stay so.
    const isOff = this.#open.some(({ now }) => now === 'no');
    const now = isOff ? 'no' : this.#truth(statement.values(1).join(' '));
    this.#open.push({ opened: statement, now, taken: isOff ? 'yes' : now });
    return isHidden ? null : decide(statement, now);
  }

  #next(statement: Statement): string | null {
    const word = statement.value(0);
    const block = this.#open.at(-1);
    if (block === undefined) return `${word} without an .if`;
    const isHidden = hiddenBy(this.#open.slice(0, -1), statement);
    if (word === '.endif') this.#open.pop();
    else {
      const isElse = word === '.else' || block.taken === 'yes';
      const own = isElse ? 'yes' : this.#truth(statement.values(1).join(' '));
      block.now = otherwise(block.taken, own);
      if (block.taken !== 'yes' && block.now !== 'no') block.taken = block.now;
    }
    return isHidden ? null : decide(statement, word === '.endif' ? 'yes' : block.now);
  }

  #truth(text: string): Truth {
    // HAProxy takes nothing for false.
    if (text.trim() === '') return 'no';
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

/** A block that is not taken hides more than an unknown one. */
function hiddenBy(blocks: readonly Block[], statement: Statement): boolean {
  const block =
    blocks.find(({ now }) => now === 'no') ?? blocks.find(({ now }) => now === 'unknown');
  if (block === undefined) return false;
  const where = placeText(block.opened.place);
  const part = statement.part();
  if (block.now === 'no') part.idle(`the condition at ${where} is false`);
  else part.dropped(`it depends on the condition at ${where}, which the importer cannot evaluate`);
  return true;
}

function decide(statement: Statement, truth: Truth): null {
  const part = statement.part();
  if (truth === 'unknown') part.dropped('the importer cannot evaluate this condition');
  else if (statement.words.length === 1) part.idle('a line of a condition');
  else part.changed(`decided at the import: ${truth === 'yes' ? 'true' : 'false'}`);
  return null;
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
