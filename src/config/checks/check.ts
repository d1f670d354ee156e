/** The shape of every check: it looks at values that are well-formed by themselves, together. */
import type { IssueCode } from '../issue.js';
import type { Path } from '../path.js';
import type { Config } from '../schema/root.js';

/** A problem before its place in the text is known. */
export interface Finding {
  readonly code: IssueCode;
  readonly path: Path;
  readonly problem: string;
  readonly expected: string;
  /** What is shown instead of the value at `path`. */
  readonly got?: string;
  /** Other keys that it rests on: while one of them is broken, nothing can be said. */
  readonly rests?: readonly Path[];
}

export interface Scene {
  /** Broken values are absent from it; required ones may therefore be undefined. */
  readonly config: Config;
  /** True when the file has this key itself; a default is not given. */
  given(path: Path): boolean;
}

export type Check = (scene: Scene) => readonly Finding[];
