/**
 * If-Match: a change that is meant for what was looked at (RFC 9110, section 13.1.1). The tag is
 * that of the overrides, the one thing that callers change under each other's hands.
 */
import { err } from '../../core/result.js';
import type { ApiEndpoint } from './endpoint.js';
import type { Problem } from './problem.js';

/** A list of tags, as a whole and one by one. A weak one never matches here. */
const TAGS = /^(?:[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,|$))+$/;
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Whether `ifMatch`, null without one, rules out a change of what has this tag now. */
export function isStale(ifMatch: string | null, etag: string): boolean {
  if (ifMatch === null || ifMatch.trim() === '*') return false;
  if (!TAGS.test(ifMatch)) return true;
  return !Array.from(ifMatch.matchAll(TAG)).some(
    ([, weak, tag]) => weak === undefined && tag === etag,
  );
}

export function changedSince(etag: string): Problem {
  const detail = `Overrides have changed since they were looked at (${etag} now): look again.`;
  return { status: 412, kind: 'changed', detail };
}

/** An endpoint that changes nothing for a caller that has looked at something else. */
export function guarded(endpoint: ApiEndpoint, etag: () => string): ApiEndpoint {
  if (endpoint.may === 'look') return endpoint;
  return {
    ...endpoint,
    handle: (asked) =>
      isStale(asked.ifMatch, etag()) ? err(changedSince(etag())) : endpoint.handle(asked),
  };
}
