/** Requests that have come before. */
import t from 'tap';
import { KnownRequests } from '../../src/admin/known_requests.js';
import { parseRequest } from '../../src/admin/request.js';
import { present } from '../../src/core/assert.js';

const MAX_BODY_BYTES = 100;
const GET = bytes('GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

t.test('whatever comes is told as by the parser, each time', async (t) => {
  const known = new KnownRequests(MAX_BODY_BYTES);
  const inputs = [
    GET,
    bytes('GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n'),
    bytes('GET /a HTTP/1.1\r\nHost: \xe4\r\n\r\n'),
    bytes('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}'),
    bytes('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'),
    bytes('GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n'),
    bytes(`GET /a HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(2_000)}\r\n\r\n`),
    bytes('nonsense\r\n\r\n'),
    ...Array.from(GET.keys(), (end) => GET.subarray(0, end)),
  ];
  for (const round of ['first', 'again', 'and again']) {
    for (const input of inputs) {
      t.same(known.parse(input), parseRequest(input, MAX_BODY_BYTES), `${round}: ${input}`);
    }
  }
});

t.test('one that only looks is parsed once', async (t) => {
  const known = new KnownRequests(MAX_BODY_BYTES);
  t.equal(known.parse(Buffer.from(GET)), known.parse(Buffer.from(GET)));
});

t.test('nothing is kept of bodies, of secrets and of what comes in a row', async (t) => {
  const known = new KnownRequests(MAX_BODY_BYTES);
  for (const text of [
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}',
    'GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n',
    'GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  ]) {
    t.not(known.parse(bytes(text)), known.parse(bytes(text)), text);
  }
});

t.test('many that differ leave no more behind than some', async (t) => {
  const known = new KnownRequests(MAX_BODY_BYTES);
  const asks = Array.from({ length: 200 }, (_, number) =>
    bytes(`GET /${number} HTTP/1.1\r\nHost: a\r\n\r\n`),
  );
  const first = asks.map((ask) => known.parse(ask));
  const kept = asks.toReversed().filter((ask, back) => known.parse(ask) === first.at(-1 - back));
  t.ok(kept.length < 65, `${kept.length} of 200`);
  const last = present(asks[0], 'the one that was asked for last');
  t.equal(known.parse(last), known.parse(last), 'and the newest are kept');
});

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
