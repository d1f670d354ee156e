/** No two sockets of one protocol may want the same address. */
import t from 'tap';
import { problemsOf } from '../../support/config_problems.js';

const two = (a: string, b: string, protocols = ['tcp', 'tcp'], admin = '""'): string => `
[admin]
http = ${admin}
[pools.p]
[listeners.a]
protocol = "${protocols[0]}"
pool = "p"
bind = ${a}
[listeners.b]
protocol = "${protocols[1]}"
pool = "p"
bind = ${b}`;

const ADDRESS = 'an address and port of its own';

t.test('the same address twice is a problem at the second one', async (t) => {
  t.strictSame(problemsOf(two('"127.0.0.1:80"', '"127.0.0.1:80"')), [
    `12:1: listeners.b.bind: overlaps 127.0.0.1:80 of listeners.a.bind (expected ${ADDRESS}; got "127.0.0.1:80")`,
  ]);
  t.strictSame(problemsOf(two('["[::1]:80", "[::1]:080"]', '"unix:/x"')), [
    `8:21: listeners.a.bind[1]: overlaps [::1]:80 of listeners.a.bind[0] (expected ${ADDRESS}; got "[::1]:080")`,
  ]);
  t.strictSame(problemsOf(two('"unix:/x"', '["unix:/y", "unix:/x"]')), [
    `12:20: listeners.b.bind[1]: overlaps unix:/x of listeners.a.bind (expected ${ADDRESS}; got "unix:/x")`,
  ]);
});

t.test('a wildcard takes every address of its family and port', async (t) => {
  const overlap = ([a, b]: readonly [string, string]): number => problemsOf(two(a, b)).length;
  t.equal(overlap(['"0.0.0.0:80"', '"10.0.0.1:80"']), 1);
  t.equal(overlap(['"10.0.0.1:80"', '"0.0.0.0:80"']), 1);
  t.equal(overlap(['"[::]:80"', '"[2001:db8::1]:80"']), 1);
  t.equal(overlap(['"0.0.0.0:80"', '"[::]:80"']), 0, 'IPv6 sockets take IPv6 only');
  t.equal(overlap(['"0.0.0.0:80"', '"10.0.0.1:81"']), 0);
  t.equal(overlap(['"10.0.0.1:80"', '"10.0.0.2:80"']), 0);
});

t.test('any free port is a different one each time', async (t) => {
  t.strictSame(problemsOf(two('["127.0.0.1:0", "0.0.0.0:0"]', '"127.0.0.1:0"')), []);
});

t.test('TCP and UDP have ports of their own', async (t) => {
  t.strictSame(problemsOf(two('"127.0.0.1:53"', '"127.0.0.1:53"', ['tcp', 'udp'])), []);
  t.equal(problemsOf(two('"127.0.0.1:53"', '"127.0.0.1:53"', ['udp', 'udp'])).length, 1);
});

t.test('the admin address counts too', async (t) => {
  t.strictSame(
    problemsOf(two('"0.0.0.0:9600"', '"127.0.0.1:0"', ['tcp', 'tcp'], '"[::1]:9600"')),
    [],
  );
  t.strictSame(problemsOf(two('"0.0.0.0:9600"', '"unix:/x"', ['tcp', 'tcp'], '"127.0.0.1:9600"')), [
    `8:1: listeners.a.bind: overlaps 127.0.0.1:9600 of admin.http (expected ${ADDRESS}; got "0.0.0.0:9600")`,
  ]);
});

t.test('a broken protocol leads to no further problem', async (t) => {
  const found = problemsOf(two('"127.0.0.1:53"', '"127.0.0.1:53"', ['upd', 'tcp']));
  t.equal(found.length, 1);
  t.match(found[0], 'listeners.a.protocol');
});
