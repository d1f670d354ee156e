/** `[listeners.NAME.postgres]`: what sluice does for Postgres clients. */
import type { PostgresSpec } from '../../core/spec.js';
import { choice, flag } from './kinds.js';
import { optionalTable, type ValueOf } from './node.js';

export const POSTGRES = optionalTable(
  'Clients of this listener speak Postgres. What they say first is looked at, within `hello_timeout`: a client that is refused after its StartupMessage gets the reason, and CancelRequests find their server. Requests for encryption pass through unread, unless routes ask for something, and a client that begins with one, as psql does by default (`sslmode=prefer`), is reset without a word if it is refused; with `sslmode=disable` (and `gssencmode=disable`), or where a route asks for a database, user or application, it gets the reason. Where a route asks for a server name or protocol, a client that asks for TLS is promised it, its hello is read, and the backend is asked for TLS in its turn (one that has none ends the session as `backend-without-tls`). After that, and behind TLS, nothing is looked at: a cancel that comes within TLS (libpq 17 and later, for a session with TLS) is served like a session.',
  {
    cancel: choice(['route', 'pass'], {
      default: 'route',
      doc: '"route": a CancelRequest goes to the backend that has given out its key, as sluice has seen it when the session began. A key that it has not seen (behind TLS, or through another sluice) goes to every backend of every pool of the listener that may have the session (drained and ejected ones too, 64 at most, each for 2 s at most); the others do not know its secret and do nothing. It counts against no cap of a backend and no queue. A client (of IPv6: its /64) may send 20 per second to a listener; more are refused as `cancel-limit`, and so is one that has no connection after 3 s because others of its pool wait for a backend that does not answer. "pass": the policy chooses one backend for it, which mostly is another one.',
    }),
    strict: flag({
      default: true,
      doc: 'true: a client that does not begin like one of Postgres is refused, as `not-postgres`. false: it goes on to a backend.',
    }),
  },
);

export function postgresSpec(value: ValueOf<typeof POSTGRES>): PostgresSpec | null {
  return value === undefined ? null : { cancel: value.cancel, strict: value.strict };
}
