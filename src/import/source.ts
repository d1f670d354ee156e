/** What an import is given, and what it gives back. */
import { err, type Result } from '../core/result.js';
import type { ReportLine } from './statement.js';

export interface SourceText {
  /** As the report names it. */
  readonly file: string;
  readonly text: string;
}

/** The file cannot be understood: nothing is written. */
export interface ImportSyntaxFault {
  readonly file: string;
  readonly line: number;
  /** A clause that follows the place. */
  readonly problem: string;
}

export interface Imported {
  readonly toml: string;
  /** In the order of the files. */
  readonly entries: readonly ReportLine[];
}

export type ImportResult = Result<Imported, ImportSyntaxFault>;

/** `fault` as an answer, in one line whatever the words of the file are. */
export function syntaxFault(fault: ImportSyntaxFault): Result<never, ImportSyntaxFault> {
  return err({ ...fault, problem: fault.problem.replace(/\p{Cc}/gu, '?') });
}
