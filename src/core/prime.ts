/** Primes, for the size of a Maglev table: the check of a file and the table agree on them. */

/** By trial division: `value` is at most some millions. False for what is no whole number. */
export function isPrime(value: number): boolean {
  if (!Number.isInteger(value) || value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor++) {
    if (value % divisor === 0) return false;
  }
  return true;
}

/** The first prime from `value` on. */
export function nextPrime(value: number): number {
  let candidate = value;
  while (!isPrime(candidate)) candidate++;
  return candidate;
}
