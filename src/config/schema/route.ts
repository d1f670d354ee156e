/** `[[listeners.NAME.routes]]`: which pool a client goes to, by what it asks for. */
import type { RouteSpec } from '../../core/spec.js';
import { parseBlock } from '../address.js';
import { fault, fits, type ReadValue, readList, readString } from '../reading.js';
import { parseServerNamePattern } from '../server_name.js';
import { mixed, text } from './kinds.js';
import { type KeyOptions, listed, table, type ValueOf } from './node.js';

/** Of one route; a longer list is a matter of several. */
const MAX_VALUES = 1_024;
/** Postgres compares 63 bytes of a name, RFC 7301 allows 255 for a protocol. */
const MAX_CHARACTERS = 255;

const STRING = { type: 'string', minLength: 1 };

function anyOf<T, const O extends KeyOptions>(
  options: O,
  expected: string,
  parse: (text: string) => ReadValue<T>,
) {
  const readOne = (raw: unknown): ReadValue<T> => readString(raw, parse);
  return mixed<readonly T[], O>(
    options,
    `${expected}, or a list of them`,
    { anyOf: [STRING, { type: 'array', items: STRING, maxItems: MAX_VALUES }] },
    (raw): ReadValue<readonly T[]> => {
      if (!Array.isArray(raw)) {
        const one = readOne(raw);
        return one.ok ? fits([one.value]) : one;
      }
      return readList(raw, MAX_VALUES, 'values', readOne);
    },
  );
}

function word(raw: string): ReadValue<string> {
  if (raw === '') return fault('malformed', 'empty, which no client says');
  if (raw.length > MAX_CHARACTERS)
    return fault('malformed', `more than ${MAX_CHARACTERS} characters`);
  return fits(raw);
}

const GLOB = 'a name, in which "*" stands for any characters and "?" for one';

export const ROUTE = table(
  'Where some clients go: the first route whose conditions all hold decides, and of a list one is enough. A client that fits none goes to the `pool` of the listener. TLS is not terminated: its hello is only read, and goes to the backend unchanged. TCP only.',
  {
    server_name: anyOf(
      {
        default: [],
        doc: 'The name in the TLS hello (SNI), such as "db.example.org"; "*.example.org" stands for every name below it, and not for itself. Case, a dot at the end and IDNA make no difference. A client that sends something else than a TLS hello fits none. A client that is silent, or whose hello does not come whole within `hello_timeout`, is refused as `hello-timeout`.',
      },
      'a name, or one with "*." before it',
      parseServerNamePattern,
    ),
    alpn: anyOf(
      {
        default: [],
        doc: 'A protocol that the TLS hello offers, such as "h2", "http/1.1" or "postgresql".',
      },
      'the name of a protocol',
      word,
    ),
    client: anyOf(
      {
        default: [],
        doc: 'Addresses and CIDR blocks of clients; behind a trusted proxy those of its header. A UNIX client is in none.',
      },
      'an address or a CIDR block',
      parseBlock,
    ),
    database: anyOf(
      {
        default: [],
        doc: 'The database that a Postgres client names, or its user where it names none; "*" stands for any characters, "?" for one. Needs `[listeners.NAME.postgres]`, and reads the StartupMessage: a client that asks for TLS is answered that there is none, unless another route of the listener asks for a server name or protocol. `sslmode=prefer` goes on in plain text then, `require` ends. No client fits a route that asks for a server name or protocol besides: behind TLS no StartupMessage can be read.',
      },
      GLOB,
      word,
    ),
    user: anyOf({ default: [], doc: 'The same for the user.' }, GLOB, word),
    application: anyOf({ default: [], doc: 'The same for `application_name`.' }, GLOB, word),
    pool: text(
      {
        required: true,
        example: 'example',
        doc: 'The pool that serves the clients that fit. "" refuses them: `no-route`.',
      },
      'the name of a pool, or "" to refuse',
      (raw) => fits(raw),
    ),
  },
);

export const ROUTES = listed(ROUTE);

export type RouteValue = ValueOf<typeof ROUTE>;

/** `value` has passed the checks. */
export function routeSpec(value: RouteValue): RouteSpec {
  return {
    conditions: {
      serverNames: value.server_name,
      alpn: value.alpn,
      clients: value.client,
      databases: value.database,
      users: value.user,
      applications: value.application,
    },
    pool: value.pool || null,
  };
}
