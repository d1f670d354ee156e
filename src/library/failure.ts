/** What an error of a callback says: whether anything was sent, and whose fault it is. */

/** The connection never stood, so that nothing was sent, whatever library has dialled. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Ours: descriptors, memory, source ports. It says nothing about a backend. */
const OWN: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOBUFS',
  'EADDRNOTAVAIL',
]);

/** Causes of causes that are looked at: `fetch` wraps once, an AggregateError once more. */
const MAX_DEPTH = 4;

/** `unsent`: a dial failed before anything was sent, so that another backend may be tried. */
export type Blame = 'unsent' | 'own' | 'unknown';

/** Whatever `error` is: reading it must not throw, or its lease would stay open. */
export function blameOf(error: unknown): Blame {
  try {
    return blameAt(error, 0);
  } catch {
    return 'unknown';
  }
}

function blameAt(error: unknown, depth: number): Blame {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return 'unknown';
  const { code, syscall, cause, errors } = error as {
    readonly code?: unknown;
    readonly syscall?: unknown;
    readonly cause?: unknown;
    readonly errors?: unknown;
  };
  if (typeof code === 'string' && OWN.has(code)) return 'own';
  // A reset or a timeout of connect(2) itself: nothing was sent either.
  if (syscall === 'connect') return 'unsent';
  if (typeof code === 'string' && NOT_CONNECTED.has(code) && syscall !== 'read') return 'unsent';
  if (Array.isArray(errors) && errors.length > 0) {
    const blames = errors.map((one) => blameAt(one, depth + 1));
    return blames.every((blame) => blame === 'unsent') ? 'unsent' : 'unknown';
  }
  return cause === undefined ? 'unknown' : blameAt(cause, depth + 1);
}
