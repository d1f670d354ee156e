import t from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { SourceTurns } from '../../src/pool/source_turns.js';

const [A, B, C] = [1, 2, 3].map((last) => ipEndpoint(4, `10.0.0.${last}`, 0));
const SIX = ipEndpoint(6, '2001:db8::1', 0);
const ALL = [A, B, SIX, C].flatMap((one) => one ?? []);
const TARGET = ipEndpoint(4, '10.0.9.9', 5432);

t.test('each dial has the next one first, and the others behind it', async (t) => {
  const turns = new SourceTurns();
  const hosts = () => turns.next(ALL, TARGET).map((one) => one?.host.slice(-1));
  t.same(
    [hosts(), hosts(), hosts(), hosts()].map((one) => one.join('')),
    ['123', '231', '312', '123'],
  );
});

t.test('only those of the family of the backend; without any the kernel chooses', async (t) => {
  const turns = new SourceTurns();
  t.same(turns.next(ALL, ipEndpoint(6, '2001:db8::9', 1)), [SIX]);
  t.same(turns.next([SIX], TARGET), [null]);
  t.same(turns.next([], TARGET), [null]);
  t.same(turns.next(ALL, { kind: 'unix', path: '/run/x.sock' }), [null]);
});
