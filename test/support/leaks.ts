/**
 * Finds a secret in a text in whatever form it stands there: as it is, cut, or encoded. Independent
 * of how sluice hides it: what can be decoded is decoded.
 */

/** This many characters of a secret in a row are a leak. */
const TELLING = 8;

/** Where `secret` (letters and digits) shows in `text`; empty when it does not. */
export function leaksOf(secret: string, text: string): readonly string[] {
  const parts = Array.from({ length: secret.length - TELLING + 1 }, (_, at) =>
    secret.slice(at, at + TELLING).toLowerCase(),
  );
  return readings(text).flatMap((reading) => {
    const folded = reading.toLowerCase();
    const at = parts.map((part) => folded.indexOf(part)).find((place) => place >= 0);
    return at === undefined ? [] : [reading.slice(Math.max(0, at - 60), at + 60)];
  });
}

function readings(text: string): readonly string[] {
  const runs = (pattern: RegExp): readonly string[] => text.match(pattern) ?? [];
  const plain = text.replace(/%([0-9a-f]{2})|\\u00([0-9a-f]{2})|\\x([0-9a-f]{2})/gi, (_, a, b, c) =>
    String.fromCharCode(Number.parseInt(a ?? b ?? c, 16)),
  );
  return [
    text,
    plain,
    ...runs(/[0-9a-f]{16,}/gi).flatMap((run) => [
      decoded(run, 'hex'),
      decoded(run.slice(1), 'hex'),
    ]),
    ...runs(/[A-Za-z0-9+/_-]{10,}/g).flatMap((run) =>
      [0, 1, 2, 3].map((from) => decoded(run.slice(from), 'base64')),
    ),
  ];
}

function decoded(run: string, encoding: 'hex' | 'base64'): string {
  return Buffer.from(run, encoding).toString('latin1');
}
