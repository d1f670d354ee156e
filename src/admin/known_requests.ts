/**
 * Requests that have come before, by their bytes. What operates and watches the daemon asks the
 * same again and again, over connections of their own: parsing it costs as much as some answers.
 */
import { type ParsedRequest, parseRequest } from './request.js';

const MAX_KNOWN = 64;
/** A command asks in a hundred, a browser in some hundreds. */
const MAX_KNOWN_BYTES = 1_024;

export class KnownRequests {
  readonly #maxBodyBytes: number;
  readonly #known = new Map<string, ParsedRequest>();

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** As `parseRequest`. */
  parse(input: Buffer): ParsedRequest {
    if (input.length > MAX_KNOWN_BYTES) return parseRequest(input, this.#maxBodyBytes);
    const text = input.toString('latin1');
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const parsed = parseRequest(input, this.#maxBodyBytes);
    if (isWorthKeeping(parsed, input)) {
      // A client that asks something else each time costs the others a few parses.
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(text, parsed);
    }
    return parsed;
  }
}

/** Nothing of a request with a body, or with a secret, outlives its answer. */
function isWorthKeeping(parsed: ParsedRequest, input: Buffer): boolean {
  if (parsed.kind !== 'request' || parsed.bytes !== input.length) return false;
  const { body, headers } = parsed.request;
  return body !== null && body.length === 0 && !headers.has('authorization');
}
