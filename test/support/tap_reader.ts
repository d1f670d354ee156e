/**
 * Reads what `tap run --reporter=tap` prints: which tests of each file passed, failed, were
 * skipped.
 */

/** A test at the top of a file, or the file itself when it failed or was skipped as a whole. */
export interface TestReport {
  readonly name: string;
  /** Why it was skipped; empty for a failure. */
  readonly reason: string;
  /** Everything that was printed about it; diagnostics may follow after `onFile`. */
  readonly lines: string[];
}

export interface FileReport {
  readonly file: string;
  readonly passed: number;
  readonly failed: readonly TestReport[];
  readonly skipped: readonly TestReport[];
}

/** indent, "not ", name, directive, its text */
const POINT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO|time=)(.*))?$/;

/**
 * Where the block of diagnostics after a result goes; it stands two columns right of the result.
 */
interface Diagnostics {
  readonly lines: string[];
  readonly indent: string;
}

export class TapReader {
  readonly #onFile: (report: FileReport) => void;
  #passed = 0;
  #failed: TestReport[] = [];
  #skipped: TestReport[] = [];
  /** Printed since the last result at the top of the file. */
  #pending: string[] = [];
  #expected: Diagnostics | null = null;
  #open: Diagnostics | null = null;

  /** `onFile` gets each file's report when the file is over. */
  constructor(onFile: (report: FileReport) => void) {
    this.#onFile = onFile;
  }

  /** Takes the next line, without its line feed. */
  line(text: string): void {
    if (this.#open) {
      this.#open.lines.push(text);
      if (text === `${this.#open.indent}...`) this.#open = null;
      return;
    }
    const expected = this.#expected;
    this.#expected = null;
    const point = POINT.exec(text);
    if (point) {
      this.#result(text, point);
    } else if (expected && text === `${expected.indent}---`) {
      expected.lines.push(text);
      this.#open = expected;
    } else if (text.trim() !== '') {
      this.#pending.push(text);
    }
  }

  #result(text: string, [, indent = '', not, name = '', directive, rest = '']: RegExpExecArray) {
    const skipped = directive === 'SKIP' || directive === 'TODO';
    const reason = skipped ? rest.trim() || directive : '';
    if (indent.length > 4) {
      this.#pending.push(text);
      if (skipped) this.#skipped.push({ name, reason, lines: [text] });
      return;
    }
    const report = { name, reason, lines: [...this.#pending, text] };
    this.#pending = [];
    this.#expected = { lines: report.lines, indent: `${indent}  ` };
    const ofFile = indent === '';
    if (skipped) this.#skipped.push(report);
    else if (not && !(ofFile && this.#failed.length > 0)) this.#failed.push(report);
    else if (!not && !ofFile) this.#passed++;
    if (ofFile) this.#endFile(name);
  }

  #endFile(file: string): void {
    const report = { file, passed: this.#passed, failed: this.#failed, skipped: this.#skipped };
    this.#passed = 0;
    this.#failed = [];
    this.#skipped = [];
    this.#onFile(report);
  }
}
