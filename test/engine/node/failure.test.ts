/** Error codes of Node.js in the words of the seam. */
import t from 'tap';
import { DIAL_FAILURES } from '../../../src/core/outcome.js';
import { dialFailure, limitSentence } from '../../../src/engine/node/failure.js';

const coded = (code: string): Error => Object.assign(new Error(code), { code });

t.test('what connect(2) answers becomes a reason of the seam', async (t) => {
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'refused',
    ENOENT: 'refused',
    EHOSTUNREACH: 'unreachable',
    ENETUNREACH: 'unreachable',
    EACCES: 'unreachable',
    ETIMEDOUT: 'timeout',
    ECONNRESET: 'reset',
    EADDRNOTAVAIL: 'no-free-port',
    EADDRINUSE: 'no-free-port',
    EAGAIN: 'no-free-port',
    EMFILE: 'no-descriptor',
    ENFILE: 'no-descriptor',
    ENOTSOCK: 'other',
  };
  for (const [code, reason] of Object.entries(reasons)) {
    t.equal(dialFailure(coded(code)), reason, code);
  }
  const bind = Object.assign(coded('EADDRNOTAVAIL'), { syscall: 'bind' });
  t.equal(dialFailure(bind), 'no-source-address');
  t.same(
    new Set([...Object.values(reasons), 'no-source-address']),
    new Set<string>(DIAL_FAILURES),
    'every reason has a code that leads to it',
  );
});

t.test('an error without a code is no known reason', async (t) => {
  t.equal(dialFailure(new Error('no code')), 'other');
});

t.test('a limit of the machine is distinguished from a peer that broke', async (t) => {
  t.match(limitSentence(coded('ENOBUFS')), /ENOBUFS/);
  t.match(limitSentence(coded('ENOMEM')), /ENOMEM/);
  t.equal(limitSentence(coded('ECONNRESET')), null);
});
