/** The shape of every check: it looks at values that are well-formed by themselves, together. */
import type { IssueCode, WarningCode } from '../issue.js';
import type { Path } from '../path.js';
import type { Config } from '../schema/root.js';

/**
 * A text that costs something, such as a look for the nearest name: it is worked out only for the
 * problems that are shown.
 */
export type LazyText = string | (() => string);

export function textOf(text: LazyText): string {
  return typeof text === 'string' ? text : text();
}

/** A problem before its place in the text is known. */
export interface Finding {
  readonly code: IssueCode | WarningCode;
  readonly path: Path;
  readonly problem: string;
  readonly expected: LazyText;
  /** What is shown instead of the value at `path`. */
  readonly got?: LazyText;
  /** Other keys that it rests on: while one of them is broken, nothing can be said. */
  readonly rests?: readonly Path[];
}

export interface CheckScene {
  /** Broken values are absent from it; required ones may therefore be undefined. */
  readonly config: Config;
  /** True when the file has this key itself; a default is not given. */
  given(path: Path): boolean;
  fileState(path: string): FileState;
}

/** What is at a path that the file names, as this user sees it; `exposed`: so does every user. */
export type FileState = 'readable' | 'exposed' | 'missing' | 'forbidden' | 'no-file' | 'silent';

export type Check = (scene: CheckScene) => readonly Finding[];
