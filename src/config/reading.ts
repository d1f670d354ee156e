/** What reading one value comes to: the value, or why it does not fit. */
import type { IssueCode } from './issue.js';
import type { Path } from './path.js';

/** One reason why a value does not fit, before it is known where it stands in the text. */
export interface Fault {
  readonly code: IssueCode;
  readonly path: Path;
  readonly problem: string;
}

/** How a reader of one value answers; `path` leads to an element of a list, else it is empty. */
export type ReadValue<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] };

export interface Misfit {
  readonly ok: false;
  readonly faults: readonly Fault[];
}

export function fits<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function fault(code: IssueCode, problem: string): Misfit {
  return { ok: false, faults: [{ code, problem, path: [] }] };
}

export function readString<T>(raw: unknown, parse: (text: string) => ReadValue<T>): ReadValue<T> {
  return typeof raw === 'string' ? parse(raw) : fault('wrong-type', 'wrong type');
}

/** Reads a list of at most `most` elements, which its fault calls `things`. */
export function readList<T>(
  raw: unknown,
  most: number,
  things: string,
  read: (element: unknown) => ReadValue<T>,
): ReadValue<readonly T[]> {
  if (!Array.isArray(raw)) return fault('wrong-type', 'wrong type');
  if (raw.length > most) return fault('too-many', `more than ${most} ${things}`);
  return readEach(raw, read);
}

/** Reads each element; the faults of element 3 get the path [3]. */
export function readEach<T, E>(
  elements: readonly E[],
  read: (element: E) => ReadValue<T>,
): ReadValue<readonly T[]> {
  const outcomes = elements.map(read);
  const faults = outcomes.flatMap((outcome, index) =>
    outcome.ok ? [] : outcome.faults.map((one) => ({ ...one, path: [index, ...one.path] })),
  );
  if (faults.length > 0) return { ok: false, faults };
  return fits(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : [])));
}
