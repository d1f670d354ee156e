/** A word as it was typed in a shell, without its quotes; one may be open at the end. Pure. */

/** What a backslash can take its meaning within double quotes. */
const IN_DOUBLE_QUOTES = /["\\$`]/;

export function typedWord(raw: string): string {
  let word = '';
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < raw.length; at++) {
    const letter = raw.charAt(at);
    const next = raw.charAt(at + 1);
    const isEscape = letter === '\\' && (quote === null || IN_DOUBLE_QUOTES.test(next));
    if (letter === quote) {
      quote = null;
    } else if (quote === null && (letter === '"' || letter === "'")) {
      quote = letter;
    } else if (isEscape && quote !== "'") {
      word += next;
      at++;
    } else {
      word += letter;
    }
  }
  return word;
}
