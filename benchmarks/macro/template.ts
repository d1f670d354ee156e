/** Configuration files with places to fill in: `@NAME@`. */

/**
 * Every place must have a value and every value a place; comments, lines that begin with `#`, stay
 * as they are.
 */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  const unused = new Set(Object.keys(values));
  const lines = template.split('\n').map((line) => {
    if (/^\s*#/.test(line)) return line;
    return line.replace(/@([A-Z_]+)@/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`@${name}@ has no value`);
      unused.delete(name);
      return value;
    });
  });
  if (unused.size > 0) throw new Error(`no place for ${[...unused].join(', ')}`);
  return lines.join('\n');
}
