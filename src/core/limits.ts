/**
 * A limit on everything that shared memory holds. Rows are laid out once, at start, so that a
 * reload never moves a counter; untouched pages cost no memory.
 */
export const MAX_LISTENERS = 4_096;
export const MAX_POOLS = 4_096;
export const MAX_BACKENDS = 16_384;
/** Of all listeners; a session looks at those of its own, one after the other. */
export const MAX_ROUTES = 16_384;
/**
 * Pairs of listener and backend with counters of their own; each takes a kilobyte per worker that
 * serves it. Sessions of further pairs are counted at their backend alone.
 */
export const MAX_PAIRS = 32_768;
export const MAX_WORKERS = 64;
/** Processes that finish their sessions at the same time, while another one serves. */
export const MAX_LEAVING = 2;
/**
 * Bytes of one PROXY protocol header, TLVs included: the specification's 16 + 65535 is never used.
 */
export const MAX_PROXY_HEADER_BYTES = 4096;
/** unix(7): sun_path holds 108 bytes, one of them the terminating zero. */
export const MAX_UNIX_PATH_BYTES = 107;
/** RFC 768 over IPv4: 65535 - 20 - 8. */
export const MAX_DATAGRAM_BYTES = 65_507;
