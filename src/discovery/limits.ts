/** Limits that all sources share. */

/** 10,000 members with labels of their own take 2 MB. */
export const MAX_ANSWER_BYTES = 4 * 1_048_576;
/** One question over HTTP, redirects included. */
export const HTTP_LIMIT_MS = 10_000;
export const MAX_REDIRECTS = 3;
/**
 * Names that are looked up at the same time: each holds one of the four threads that also read
 * files, for as long as a name server is silent.
 */
export const MAX_LOOKUPS = 2;
