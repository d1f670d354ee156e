/** Reads the TAP that one test file prints: which of its tests passed, failed or were skipped. */

/** A test at the top of a file, or the file itself when it failed or was skipped as a whole. */
export interface TestReport {
  readonly name: string;
  /** Why it was skipped; empty for a failure. */
  readonly reason: string;
  /** Everything that was printed about it. */
  readonly lines: string[];
}

export interface FileReport {
  readonly file: string;
  readonly passed: number;
  readonly failed: readonly TestReport[];
  readonly skipped: readonly TestReport[];
}

/** How the process of a test file ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines on its standard error. */
  readonly complaints: readonly string[];
}

/** indent, "not ", name, directive, its text: TAP 14, "Test points". A directive is TAP's own. */
const POINT = /^( *)(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO|time=)(.*))?$/;
/** number of tests, reason when all are skipped */
const PLAN = /^1\.\.(\d+)(?: # (?:SKIP )?(.*))?$/;

export class TapReader {
  #passed = 0;
  readonly #failed: TestReport[] = [];
  readonly #skipped: TestReport[] = [];
  /** Printed since the last result at the top of the file. */
  #pending: string[] = [];
  #plan: { readonly tests: number; readonly reason: string } | null = null;
  /** `expected`: a result was the last line; `open`: inside the block of diagnostics after it. */
  #diagnostics: 'none' | 'expected' | 'open' = 'none';
  #last: TestReport = { name: '', reason: '', lines: [] };

  /** Takes the next line, without its line feed. */
  line(text: string): void {
    if (this.#diagnostics === 'open') {
      this.#last.lines.push(text);
      if (text === '  ...') this.#diagnostics = 'none';
      return;
    }
    const point = POINT.exec(text);
    const plan = PLAN.exec(text);
    if (this.#diagnostics === 'expected' && text === '  ---') {
      this.#last.lines.push(text);
      this.#diagnostics = 'open';
      return;
    }
    this.#diagnostics = 'none';
    if (point) this.#result(text, point);
    else if (plan) this.#plan = { tests: Number(plan[1]), reason: plan[2] ?? '' };
    else if (text.trim() !== '') this.#pending.push(text);
  }

  /** The report of `file`, whose process has ended: nothing that went wrong is left out. */
  end(file: string, { code, signal, complaints }: Ending): FileReport {
    const told = [...this.#pending, ...complaints];
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const fail = (sentence: string): void => {
      this.#failed.push({ name: file, reason: '', lines: [...told, sentence] });
    };
    if (this.#plan?.tests === 0 && code === 0) {
      if (this.#plan.reason === '') fail('there is no test in this file');
      else this.#skipped.push({ name: file, reason: this.#plan.reason, lines: [] });
    } else if (this.#plan === null) fail(`it ended before its tests did (${how})`);
    else if (code !== 0 && this.#failed.length === 0)
      fail(`no test failed, but the process did (${how})`);
    else this.#failed.at(-1)?.lines.push(...complaints);
    return { file, passed: this.#passed, failed: this.#failed, skipped: this.#skipped };
  }

  #result(text: string, [, indent = '', not, name = '', directive, rest = '']: RegExpExecArray) {
    const skipped = directive === 'SKIP' || directive === 'TODO';
    const reason = skipped ? rest.trim() || directive : '';
    if (indent !== '') {
      this.#pending.push(text);
      if (skipped) this.#skipped.push({ name, reason, lines: [text] });
      return;
    }
    this.#last = { name, reason, lines: [...this.#pending, text] };
    this.#pending = [];
    this.#diagnostics = 'expected';
    if (skipped) this.#skipped.push(this.#last);
    else if (not) this.#failed.push(this.#last);
    else this.#passed++;
  }
}
