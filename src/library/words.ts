/** What an application throws, in words: whatever it is, nothing more is thrown. */

export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'an error that cannot be shown';
  }
}
