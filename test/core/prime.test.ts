import t from 'tap';
import { isPrime, nextPrime } from '../../src/core/prime.js';

t.test('primes are distinguished from others, and found', async (t) => {
  const primes = Array.from({ length: 32 }, (_, value) => value).filter(isPrime);
  t.same(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31]);
  t.ok(isPrime(65_537));
  for (const none of [-7, 2.5, 65_536, 251 * 251]) t.notOk(isPrime(none), String(none));
  t.equal(nextPrime(65_538), 65_539);
  t.equal(nextPrime(7), 7);
});
