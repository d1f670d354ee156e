/** What users of other load balancers are told: the names that sluice has for their words. */
import t from 'tap';
import { problemsOf } from '../support/config_problems.js';

function sized(size: string): string {
  return `health = { probe = "send-expect", expect = "x", minimum_size = ${size} }`;
}

/** A line of a pool, and what is expected instead of it. */
const TOLD: readonly (readonly [line: string, expected: RegExp])[] = [
  ['policy = "leastconn"', /expected "least-connections", or another of "p2c"/],
  ['policy = "least_conn"', /expected "least-connections", or/],
  ['policy = "RoundRobin"', /expected "round-robin", or/],
  ['policy = "ip_hash"', /expected "source-hash", or/],
  ['policy = "p2x"', /expected "p2c", or/],
  ['policy = "zzz"', /expected "p2c", "least-connections", /],
  ['policy = 5', /expected "p2c", "least-connections", /],
  ['health.probe = "pgsql-check"', /expected "postgres", or another of "none"/],
  ['connect_timeout = "5 seconds"', /expected "5s", a duration from "/],
  ['connect_timeout = "5sec"', /expected "5s", a duration from "/],
  ['connect_timeout = "1.5s"', /expected "1500ms", a duration from "/],
  ['connect_timeout = 5', /expected "5s", a duration from "/],
  ['connect_timeout = "500000000"', /written as "250ms"/],
  ['connect_timeout = "soon"', /expected a duration .*, written as "250ms", "5s", "10m" or "1h"/],
  ['connect_timeout = "9999d"', /too large \(expected a duration from "[^"]*" to "[^"]*"; /],
  ['connect_timeout = ""', /written as "250ms"/],
  [sized('"4kb"'), /expected "4KiB", a size from "/],
  [sized('"much"'), /written as "512B", "16KiB" or "1MiB"/],
  ['maxconn = 5', /unknown key \(expected max_connections; /],
  ['balance = "rr"', /unknown key \(expected policy; /],
  ['servers = []', /unknown key \(expected backends; /],
  ['tls = true', /unknown key \(expected it under \[pools\.NAME\.health\]; /],
];

t.test('what is meant stands first in what is expected', async (t) => {
  for (const [line, expected] of TOLD) {
    const [problem, ...others] = problemsOf(`[pools.p]\n${line}\n`);
    t.match(problem, expected, line);
    t.strictSame(others, [], `${line} is one problem`);
  }
});

t.test('a word that objects inherit is no known one', async (t) => {
  for (const word of ['constructor', 'toString', '__proto__']) {
    t.notMatch(problemsOf(`[pools.p]\npolicy = "${word}"`)[0], /or another of/, word);
    t.equal(problemsOf(`[pools.p]\n${word} = 1`).length, 1, word);
  }
});
