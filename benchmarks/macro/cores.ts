/** Which process runs on which core. */

/** The proxy alone, with all its threads. */
export const PROXY_CORE = 0;
/** Load, backends, real clients and servers, and the benchmark itself, which sleeps meanwhile. */
export const LOAD_CORE = 1;
