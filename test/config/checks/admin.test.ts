import t from 'tap';
import { problemsOf } from '../../support/config_problems.js';

const admin = (...lines: readonly string[]): string => `
[pools.p]
[listeners.a]
pool = "p"
bind = "127.0.0.1:0"
[admin]
${lines.join('\n')}`;

t.test('a bind beyond loopback takes a token_file or allow_public', async (t) => {
  for (const place of ['0.0.0.0:9600', '[::]:9600', '10.0.0.1:9600', '[2001:db8::1]:1']) {
    const http = `http = "${place}"`;
    t.match(problemsOf(admin(http)), [/^7:1: admin.http: it can be read from other machines/]);
    t.match(problemsOf(admin(http, 'allow_public = false')).length, 1);
    t.same(problemsOf(admin(http, 'allow_public = true')), []);
    t.same(problemsOf(admin(http, 'token_file = "/etc/sluice/token"')), []);
  }
  for (const place of ['127.0.0.1:9600', '127.9.9.9:1', '[::1]:9600', '']) {
    t.same(problemsOf(admin(`http = "${place}"`)), [], place);
  }
});

t.test('while one of its keys is broken nothing is said about the bind', async (t) => {
  for (const line of ['token_file = "relative"', 'allow_public = "yes"', 'token_file = 3']) {
    const problems = problemsOf(admin('http = "0.0.0.0:1"', line));
    t.equal(problems.length, 1, problems.join());
    t.notMatch(problems[0], 'from other machines');
  }
});
