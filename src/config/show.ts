/** How a value of the file is shown in a problem: as TOML would write it, and never too long. */

const MAX_SHOWN = 60;

/** The beginning of a text in quotes, on one line; of a URL without the password in it. */
export function quote(text: string): string {
  const shown = text.includes('@') ? text.replace(/^(.*:\/\/)[\s\S]*@/, '$1***@') : text;
  return JSON.stringify(shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown);
}

/** A name within a sentence: in quotes where it would not be seen as one word. */
export function shownName(name: string): string {
  return /^[^\s"]+$/.test(name) ? name : quote(name);
}

/** `"5432"`, `5432`, `a table`; `nothing` for a key that is absent. */
export function showValue(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return quote(value);
    case 'number':
      return showNumber(value);
    case 'symbol':
      return 'a date';
    case 'object':
      // A file has none; options of an application may.
      if (value === null) return 'null';
      if (!Array.isArray(value)) return 'a table';
      return value.length === 0 ? 'an empty list' : 'a list';
    default:
      return String(value);
  }
}

/** For keys that may hold a secret: its kind only. */
export function showKind(value: unknown): string {
  if (typeof value === 'string') return 'a string';
  return typeof value === 'number' ? 'a number' : showValue(value);
}

function showNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? 'inf' : '-inf';
}
