/** Texts for the daemon's file: listeners and pools as the tests need them. */

/**
 * Quick verdicts: down after two failures, up after two successes, a few tenths of a second each.
 */
export const QUICK_HEALTH = `probe = "tcp"
interval = "500ms"
fast_interval = "100ms"
down_interval = "250ms"
timeout = "1s"
fall = 2
rise = 2
`;

/** What most people bind: tests listen on something else only when they are about it. */
const WILDCARD = '0.0.0.0:0';

export interface ListenerText {
  readonly name?: string;
  readonly pool: string;
  readonly bind?: string;
  readonly protocol?: 'tcp' | 'udp';
  /** Further lines of the section. */
  readonly lines?: string;
}

export function listenerText(listener: ListenerText): string {
  const { pool, name = pool, bind = WILDCARD, protocol = 'tcp', lines = '' } = listener;
  return `[listeners.${name}]
protocol = "${protocol}"
bind = "${bind}"
pool = "${pool}"
${lines}
`;
}

export interface BackendText {
  readonly address: string;
  readonly name?: string;
  readonly lines?: string;
}

export interface PoolText {
  readonly name: string;
  readonly policy?: string;
  readonly backends: readonly BackendText[];
  /** Further lines of [pools.NAME]. */
  readonly lines?: string;
  /** The lines of [pools.NAME.health]. */
  readonly health?: string;
  /** Further sections, whole. */
  readonly sections?: string;
}

export function poolText(pool: PoolText): string {
  const { name, policy = 'p2c', backends, lines = '', health = QUICK_HEALTH, sections = '' } = pool;
  const entries = backends.map(
    (backend) => `[[pools.${name}.backends]]
address = "${backend.address}"
${backend.name === undefined ? '' : `name = "${backend.name}"`}
${backend.lines ?? ''}
`,
  );
  return `[pools.${name}]
policy = "${policy}"
${lines}
[pools.${name}.health]
${health}
${sections}
${entries.join('')}`;
}

/** One TCP listener on a free port of every IPv4 address and its pool, both named `pool.name`. */
export function serviceText(pool: PoolText, listenerLines = ''): string {
  return listenerText({ pool: pool.name, lines: listenerLines }) + poolText(pool);
}
