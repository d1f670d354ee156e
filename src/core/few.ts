/** Long lists in lines for people: the first ones, and how many more there are. */
export function few(all: readonly string[], most: number): readonly string[] {
  if (all.length <= most) return all;
  return [...all.slice(0, most), andMore(all.length - most)];
}

export function andMore(count: number): string {
  return `and ${count} more`;
}
