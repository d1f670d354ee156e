import t from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { say } from '../../contract/probe_cases.js';
import { askScript, line } from './ask.js';

type RedisSpec = Extract<ProbeSpec, { kind: 'redis' }>;

const SPEC: RedisSpec = { kind: 'redis', role: 'any', user: null, password: null, tls: null };
const PASSWORD = 'correct horse';
const PONG = say('+PONG\r\n', 'PING');

t.before(() => {
  process.env['SLUICE_TEST_REDIS'] = PASSWORD;
});
t.teardown(() => Reflect.deleteProperty(process.env, 'SLUICE_TEST_REDIS'));

const WITH_PASSWORD: RedisSpec = {
  ...SPEC,
  password: { kind: 'environment', name: 'SLUICE_TEST_REDIS' },
};

t.test('PING is all that is asked when any role will do', async (t) => {
  const { result, received } = await askScript(t, SPEC, [PONG]);
  t.equal(line(result), 'ok: ');
  t.equal(received, '*1\r\n$4\r\nPING\r\n');
});

t.test('errors in place of PONG say what is wrong', async (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['-LOADING Redis is loading', 'not-ready: LOADING Redis is loading'],
    ['-MASTERDOWN Link with MASTER is down', 'not-ready: MASTERDOWN Link with MASTER is down'],
    ['-ERR max number of clients reached', 'not-ready: ERR max number of clients reached'],
    ['-NOAUTH Authentication required.', 'authentication: Redis asks for a password (NOAUTH)'],
    ['-NOPERM no permissions for ping', 'authentication: NOPERM no permissions for ping'],
    ['+OK', 'wrong-answer: PING was not answered with PONG'],
    ['$-1', 'wrong-answer: PING was not answered with PONG'],
    ['$4\r\nPONG', 'ok: '],
    ['$x', 'wrong-answer: not a length: "x"'],
    ['HTTP/1.1 400 Bad Request', 'wrong-answer: not Redis: "HTTP/1.1 400 Bad Request"'],
    ['*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1', 'wrong-answer: a reply that nests too deep'],
  ];
  for (const [answer, expected] of table) {
    const { result } = await askScript(t, SPEC, [say(`${answer}\r\n`, 'PING')]);
    t.equal(line(result), expected, answer);
  }
});

t.test('AUTH goes first, with the user if there is one', async (t) => {
  const ok = [say('+OK\r\n', 'AUTH'), PONG];
  const alone = await askScript(t, WITH_PASSWORD, ok);
  t.match(alone.received, /^\*2\r\n\$4\r\nAUTH\r\n\$13\r\ncorrect horse\r\n\*1\r\n/);
  const named = await askScript(t, { ...WITH_PASSWORD, user: 'probe' }, ok);
  t.match(named.received, /^\*3\r\n\$4\r\nAUTH\r\n\$5\r\nprobe\r\n\$13\r\ncorrect horse\r\n/);
  const without = await askScript(t, { ...SPEC, user: 'probe' }, ok);
  t.match(without.received, /^\*3\r\n\$4\r\nAUTH\r\n\$5\r\nprobe\r\n\$0\r\n\r\n/);
});

t.test('a refused AUTH is reported without the password, even if Redis repeats it', async (t) => {
  for (const [answer, expected] of [
    ['-WRONGPASS invalid', 'authentication: Redis refuses the user or the password (WRONGPASS)'],
    [
      `-ERR unknown command 'AUTH', with args beginning with: '${PASSWORD}'`,
      'authentication: Redis refuses AUTH (ERR)',
    ],
  ] as const) {
    const { result } = await askScript(t, WITH_PASSWORD, [say(`${answer}\r\n`, 'AUTH')]);
    t.equal(line(result), expected);
  }
});

t.test('the role comes from ROLE, and from INFO where that is not to be had', async (t) => {
  const master = '*3\r\n$6\r\nmaster\r\n:100\r\n*1\r\n*3\r\n$2\r\nh1\r\n$4\r\n6379\r\n$1\r\n9\r\n';
  const slave = (link: string) =>
    `*5\r\n$5\r\nslave\r\n$2\r\nh1\r\n:6379\r\n$${link.length}\r\n${link}\r\n:100\r\n`;
  const info = (text: string) => `-ERR unknown command 'ROLE'\r\n${bulk(text)}`;
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const table: readonly (readonly [RedisSpec['role'], string, string])[] = [
    ['primary', master, 'ok: role primary'],
    ['replica', master, 'wrong-role: is primary, not replica'],
    ['replica', slave('connected'), 'ok: role replica'],
    ['primary', slave('connected'), 'wrong-role: is replica, not primary'],
    ['replica', slave('sync'), 'not-ready: the link to the primary is in state "sync"'],
    ['replica', slave('connect'), 'not-ready: the link to the primary is in state "connect"'],
    ['primary', '*2\r\n$8\r\nsentinel\r\n*0\r\n', 'wrong-role: is sentinel, not primary'],
    ['primary', '*0\r\n', 'wrong-role: is nothing, not primary'],
    ['primary', info('# Replication\r\nrole:master\r\n'), 'ok: role primary'],
    ['replica', info('role:slave\r\nmaster_link_status:up\r\n'), 'ok: role replica'],
    [
      'replica',
      info('role:slave\r\nmaster_link_status:down\r\n'),
      'not-ready: the link to the primary is in state "down"',
    ],
    ['primary', '-NOPERM no ROLE\r\n-NOPERM no INFO\r\n', 'authentication: NOPERM no INFO'],
  ];
  for (const [role, answer, expected] of table) {
    const { result } = await askScript(t, { ...SPEC, role }, [PONG, say(answer, 'ROLE')]);
    t.equal(line(result), expected, answer);
  }
});
