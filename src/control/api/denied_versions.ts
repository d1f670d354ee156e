/** A denial of every client over IPv4 or IPv6: allowed, and nearly always a slip of the prefix. */
const VERSIONS: Readonly<Record<string, string>> = { '0.0.0.0/0': 'IPv4', '::/0': 'IPv6' };

/** A warning where `block` has every address of its version; null: it leaves some. */
export function deniedVersion(block: string): string | null {
  const version = VERSIONS[block];
  if (version === undefined) return null;
  const end = `\`sluice ctl admit ${block}\``;
  return `every client over ${version} is refused, at every listener, until ${end}`;
}
