/** The known word that was most likely meant. */

/** The work grows with the product of both lengths, and no key of ours is as long. */
const MAX_COMPARED = 64;

/** A file may define more names than are worth a look. */
const MAX_CANDIDATES = 1_000;

/**
 * `known`, the most similar to `word` first; equally similar ones in their own order. Of more than
 * MAX_CANDIDATES the first ones.
 */
export function bySimilarity(word: string, known: readonly string[]): readonly string[] {
  const start = word.slice(0, MAX_COMPARED);
  const scored = known
    .slice(0, MAX_CANDIDATES)
    .map((candidate) => ({ candidate, distance: distance(start, candidate) }));
  return scored.toSorted((a, b) => a.distance - b.distance).map(({ candidate }) => candidate);
}

/** True when one is likely a slip of the other: few edits, or one begins with the other. */
export function isSimilar(a: string, b: string): boolean {
  if (a === '' || b === '') return false;
  if (a.length > MAX_COMPARED || b.length > MAX_COMPARED) return false;
  if (isPrefix(a, b)) return true;
  return editDistance(a, b) <= Math.max(1, Math.floor(Math.max(a.length, b.length) / 3));
}

/** `password` for `password_file` is one slip, not five. */
function distance(a: string, b: string): number {
  return isPrefix(a, b) ? 1 : editDistance(a, b);
}

function isPrefix(a: string, b: string): boolean {
  return a !== '' && b !== '' && (a.startsWith(b) || b.startsWith(a));
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours that make `b` from `a`: "optimal
 * string alignment" (Boytsov, "Indexing methods for approximate dictionary searching", 2011, 2.2).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(substitution, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
