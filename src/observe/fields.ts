/** The fields of log events: one meaning each, whatever event they stand in. */
import type { Cause, EndedBy, Stage } from '../core/outcome.js';

interface Kinds {
  readonly string: string;
  readonly number: number;
  readonly strings: readonly string[];
  readonly outcome: { readonly by: EndedBy; readonly stage: Stage; readonly cause: Cause };
}

interface FieldDefinition {
  readonly kind: keyof Kinds;
  readonly meaning: string;
}

const text = <M extends string>(meaning: M) => ({ kind: 'string', meaning }) as const;
const figure = <M extends string>(meaning: M) => ({ kind: 'number', meaning }) as const;
const texts = <M extends string>(meaning: M) => ({ kind: 'strings', meaning }) as const;

export const FIELDS = {
  added: texts('What is new: `listener app`, `pool app`, `backend app/a`.'),
  address: text('An address as in the configuration, with the real port.'),
  backend: text('Name of a backend; null: none was reached.'),
  backend_retransmits: figure(
    'TCP segments to the backend that were sent again; null: the kernel was not asked, or does not say.',
  ),
  backend_rtt_ms: figure(
    "Round-trip time to the backend at the end, the kernel's smoothed one; null: not known.",
  ),
  backends: figure('How many backends.'),
  before: text('What it was until now.'),
  because: text('Why, in the words of the user; null: no reason was given.'),
  by: text('The user who asked for it; null: it came of itself or by a signal.'),
  bytes_in: figure('Bytes from the client to the backend.'),
  bytes_out: figure('Bytes from the backend to the client.'),
  cause: text('Why, in one word of a closed list.'),
  changed: texts('What stays with other settings: `listener app`, `backend app/a`.'),
  client: text("The client's address; behind a trusted proxy the one that its header named."),
  client_retransmits: figure(
    'TCP segments to the client (or the proxy before it) that were sent again; null: not known.',
  ),
  client_rtt_ms: figure('Round-trip time to the client (or the proxy before it); null: not known.'),
  configured: text('The value in the configuration now; null: it has none any more.'),
  connect_ms: figure('Time from the dial to the connection; null: there was none.'),
  count: figure('How many.'),
  cpu_ms: figure('Processor time that the process itself took meanwhile.'),
  delay_ms: figure('How long clients are still accepted.'),
  detail: text('The cause in words; for people, not for programs.'),
  duration_ms: figure('How long it took.'),
  eligible: figure('Backends that can get new sessions.'),
  engine: text('What moves the bytes: uring, epoll or node.'),
  errno: text("The kernel's name of the error."),
  failures: figure('Attempts that failed, one after the other.'),
  file: text('Path of the configuration file.'),
  first_byte_ms: figure('Time from the connection to the first byte back; null: none came.'),
  id: text('Names one session or flow: the same wherever it is reported.'),
  in_a_row: figure('How many times in a row.'),
  kind: text(
    'What an override is about: drain, maintain, weight or cap of a backend, the hold of a pool, or log-level.',
  ),
  keys: texts('Dotted paths of keys of the configuration.'),
  left_out: figure(
    'Of a sample: those that went as they should and had no line since the last one, at its worker and of its protocol; null: the line is no sample.',
  ),
  limit: figure('The limit that holds.'),
  kept: texts('Those that serve on.'),
  limit_ms: figure('How long it may take at most.'),
  listener: text('Name of a listener.'),
  listeners: figure('How many listeners.'),
  local: text('The address that the client connected to.'),
  name: text('The name of a host, with its port, as configured.'),
  outcome: {
    kind: 'outcome',
    meaning: 'Who ended it (`by`: client, backend, sluice), in which `stage`, and the `cause`.',
  },
  percent: figure('A share in percent.'),
  pid: figure('The number of a process.'),
  policy: text('How the pool chooses; null: there is no pool.'),
  pool: text('Name of a pool; null: its route was not known, or led to none.'),
  pools: figure('How many pools.'),
  problems: texts(
    'One an item: of the file, FILE:LINE:COLUMN: key: problem (expected …; got …); of the machine, a sentence.',
  ),
  program: text('The file of a program.'),
  protocol: text('tcp or udp.'),
  queue_ms: figure('Time in the queue; null: it did not wait.'),
  removed: texts('What is gone from the file.'),
  sessions: figure('TCP sessions and UDP flows.'),
  signal: text('The signal received.'),
  source: text('A source of backends, as `dns pg.example.org:5432`.'),
  span_ms: figure('The time over which it is spread.'),
  tried: texts('Backends that were dialled in vain, in order.'),
  unlogged: figure(
    'Clients that were refused by their address or for a limit since the last such line, without one of their own.',
  ),
  until: text('When it ends by itself, RFC 3339; null: never.'),
  value: text('The value that an operator wants.'),
  version: text('Version of sluice.'),
  wanted: figure('What was asked for.'),
  worker: figure('Number of a worker thread.'),
  workers: figure('Worker threads.'),
} as const satisfies Record<string, FieldDefinition>;

export type FieldName = keyof typeof FIELDS;

/** null: not known, or there is none. */
export type FieldValue<Name extends FieldName> = Kinds[(typeof FIELDS)[Name]['kind']] | null;

/** Three decimals: of a number of milliseconds, microseconds. */
export function toMicro(value: number): number {
  return Math.round(value * 1000) / 1000;
}
