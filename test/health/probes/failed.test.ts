import t from 'tap';
import { InvariantError } from '../../../src/core/assert.js';
import { failureResult, ProbeFailed, socketFailure } from '../../../src/health/probes/failed.js';
import { printable } from '../../../src/secrets/quote.js';

function errno(code: string, message = code): Error {
  return Object.assign(new Error(message), { code, syscall: 'connect' });
}

t.test('errors of sockets have one meaning each', async (t) => {
  const failure = (error: Error) => socketFailure(error, 'tls').failure;
  t.equal(failure(errno('ECONNREFUSED')), 'refused');
  t.equal(failure(errno('EHOSTUNREACH')), 'unreachable');
  t.equal(failure(errno('ECONNRESET')), 'reset');
  t.equal(failure(errno('ETIMEDOUT')), 'timeout');
  t.equal(failure(errno('EADDRNOTAVAIL')), 'no-local-address');
  t.equal(failure(errno('EADDRINUSE')), 'no-local-address');
  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS']) {
    t.equal(failure(errno(code)), 'no-resources', code);
  }
  t.equal(failure(errno('CERT_HAS_EXPIRED')), 'tls', 'what is unknown is what the caller says');
  const early = Object.assign(new Error('disconnected'), { code: 'ECONNRESET' });
  t.equal(failure(early), 'closed-early', 'made up by Node.js for FIN in a handshake');
});

t.test('whatever is thrown becomes an outcome, but for a broken invariant', async (t) => {
  t.same(failureResult(new ProbeFailed('lagging', 'by far')), {
    ok: false,
    failure: 'lagging',
    detail: 'by far',
  });
  t.match(failureResult(new RangeError('out of range')), { failure: 'wrong-answer' });
  t.match(failureResult('text'), { failure: 'wrong-answer', detail: /text/ });
  t.throws(() => failureResult(new InvariantError('never')), /never/);
});

t.test('what a backend says is made fit for a log line', async (t) => {
  t.equal(printable('a\r\nb\x1b[31m\x7f\x9b'), 'a..b.[31m..');
  t.equal(printable('A\0ÿ'), 'A.ÿ');
  t.equal(printable('ö 語'), 'ö 語');
  t.equal(printable('x'.repeat(500)), `${'x'.repeat(160)}…`);
});
