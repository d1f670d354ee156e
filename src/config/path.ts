/** Where something stands in a configuration: table names, keys and indices into lists. */
export type Path = readonly (string | number)[];

/** `pools.pg.backends[0].weight`; a name that TOML does not allow bare stands in quotes. */
export function formatPath(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else text += `${text === '' ? '' : '.'}${formatKey(segment)}`;
  }
  return text;
}

/** The same text for equal paths, different text for different ones: for maps and sets. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}

/** A key as TOML writes it: bare where that is allowed, else in quotes. */
export function formatKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}
