import t from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { pgMessage, say } from '../../contract/probe_cases.js';
import type { Step } from '../../contract/probe_peers.js';
import { askScript, line } from './ask.js';

type PostgresSpec = Extract<ProbeSpec, { kind: 'postgres' }>;

const PASSWORD = 'correct horse';
const SPEC: PostgresSpec = {
  kind: 'postgres',
  role: 'any',
  user: null,
  database: 'postgres',
  password: null,
  maxLagMs: 0,
  allowCleartextPassword: false,
  tls: null,
};
const NAMED: PostgresSpec = {
  ...SPEC,
  user: 'monitor',
  password: { kind: 'environment', name: 'SLUICE_TEST_PG' },
};

t.before(() => {
  process.env['SLUICE_TEST_PG'] = PASSWORD;
});
t.teardown(() => Reflect.deleteProperty(process.env, 'SLUICE_TEST_PG'));

const READY = pgMessage('Z', 'I');
const OK = pgMessage('R', 0);

function error(sqlState: string, message = 'no'): Buffer {
  return pgMessage('E', `SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`);
}

function row(...values: readonly (string | null)[]): Buffer {
  const columns = values.flatMap((value) => (value === null ? [-1] : [value.length, value]));
  const count = `\0${String.fromCharCode(values.length)}`;
  return Buffer.concat([pgMessage('D', count, ...columns), pgMessage('C', 'SELECT 1\0'), READY]);
}

/** From the start-up message on: these answers in turn to it and to what follows. */
async function answered(spec: PostgresSpec, ...answers: readonly Buffer[]): Promise<string> {
  const after = ['sluice\0\0', 'p\0\0', 'p\0\0'];
  const steps: Step[] = answers.map((send, index) => say(send, after[index] ?? ''));
  return line((await askScript(t, spec, steps)).result);
}

t.test(
  'without a user every answer after the check of capacity proves that it serves',
  async (t) => {
    const table: readonly (readonly [Buffer, string])[] = [
      [pgMessage('R', 10, 'SCRAM-SHA-256\0\0'), 'ok: '],
      [pgMessage('R', 3), 'ok: '],
      [pgMessage('R', 7), 'ok: '],
      [Buffer.concat([OK, READY]), 'ok: '],
      [Buffer.concat([pgMessage('N', 'SNOTICE\0\0'), OK, pgMessage('S', 'a\0b\0'), READY]), 'ok: '],
      [Buffer.concat([OK, error('3D000')]), 'ok: FATAL: no (3D000)'],
      [Buffer.concat([OK, error('53300', 'too many')]), 'not-ready: FATAL: too many (53300)'],
      [error('28000', 'no pg_hba.conf entry'), 'ok: FATAL: no pg_hba.conf entry (28000)'],
      [error('28P01'), 'ok: FATAL: no (28P01)'],
      [error('3D000'), 'ok: FATAL: no (3D000)'],
      [error('57P03', 'starting up'), 'not-ready: FATAL: starting up (57P03)'],
      [error('53300', 'too many'), 'not-ready: FATAL: too many (53300)'],
      [error('XX000'), 'not-ready: FATAL: no (XX000)'],
      [Buffer.from('Ecould not fork new process\n\0'), 'not-ready: could not fork new process..'],
      [READY, 'wrong-answer: an unexpected message of type "Z"'],
      [Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'wrong-answer: not PostgreSQL: "HTTP/'],
    ];
    for (const [answer, expected] of table) {
      const told = await answered(SPEC, answer);
      t.equal(told.slice(0, expected.length), expected);
      if (told.startsWith('ok')) t.equal(told, expected);
    }
  },
);

t.test('the start-up message names user, database and program', async (t) => {
  const welcome = Buffer.concat([OK, READY]);
  const { received } = await askScript(t, SPEC, [say(welcome, 'sluice\0\0')]);
  const start = 'user\0postgres\0database\0postgres\0application_name\0sluice\0\0';
  t.equal(received, `\0\0\0\x41\0\x03\0\0${start}X\0\0\0\x04`, 'and Terminate, once it is in');
});

t.test('with a user, a refused login is a failure', async (t) => {
  t.equal(await answered(NAMED, error('28P01')), 'authentication: FATAL: no (28P01)');
  t.equal(await answered(NAMED, error('57P03')), 'not-ready: FATAL: no (57P03)');
  t.equal(await answered(NAMED, error('3D000')), 'not-ready: FATAL: no (3D000)');
  t.equal(
    await answered({ ...NAMED, password: null }, pgMessage('R', 3)),
    'authentication: asks for a password, and none is configured',
  );
  t.equal(
    await answered(NAMED, pgMessage('R', 7)),
    'authentication: asks for a login of kind 7, which is unknown here',
  );
  t.equal(
    await answered(NAMED, pgMessage('R', 10, 'SCRAM-SHA-512\0\0')),
    'authentication: does not offer SCRAM-SHA-256',
  );
});

t.test('a password is sent as asked for, and never shown', async (t) => {
  const steps = (request: Buffer): Step[] => [
    say(request, 'sluice\0\0'),
    say(error('28P01', `wrong: ${PASSWORD}`), 'p\0\0'),
  ];
  const consenting = { ...NAMED, allowCleartextPassword: true };
  const clear = await askScript(t, consenting, steps(pgMessage('R', 3)));
  t.match(clear.received, `p\0\0\0\x12${PASSWORD}\0`);
  t.equal(line(clear.result), 'authentication: FATAL: wrong: *** (28P01)');
  const refused = await askScript(t, NAMED, steps(pgMessage('R', 3)));
  t.notMatch(refused.received, PASSWORD);
  t.match(line(refused.result), /^authentication: asks for the password in clear, without TLS/);
  const md5 = await askScript(t, NAMED, steps(pgMessage('R', 5, 'salt')));
  // md5(md5('correct horse' 'monitor') 'salt')
  t.match(md5.received, /p\0\0\0\x28md5[0-9a-f]{32}\0$/);
  t.notMatch(md5.received, PASSWORD);
});

t.test('a server that skips its part of SCRAM is not believed', async (t) => {
  const untold = 'authentication: the server does not prove that it knows the password';
  const offer = pgMessage('R', 10, 'SCRAM-SHA-256\0\0');
  const first = pgMessage('R', 11, 'r=rOprNGfwEbeRWgbNEkqOmore,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096');
  t.equal(await answered(NAMED, offer, Buffer.concat([OK, READY])), untold);
  t.equal(await answered(NAMED, offer, first, Buffer.concat([OK, READY])), untold);
  t.equal(
    await answered(NAMED, offer, first, pgMessage('R', 12, 'v=AAAA')),
    'authentication: the server does not know the password',
  );
  t.equal(
    await answered(NAMED, first),
    'wrong-answer: continues a SCRAM exchange that was not begun',
  );
});

t.test('role and lag decide', async (t) => {
  const asked = async (spec: Partial<PostgresSpec>, answer: Buffer): Promise<string> => {
    const steps = [
      say(Buffer.concat([OK, pgMessage('S', 'TimeZone\0UTC\0'), READY]), 'sluice\0\0'),
      say(answer, 'pg_is_in_recovery()'),
    ];
    return line((await askScript(t, { ...NAMED, ...spec }, steps)).result);
  };
  const lagging = { maxLagMs: 5_000 };
  t.equal(await asked({}, row('f')), 'ok: role primary');
  t.equal(await asked({ role: 'primary' }, row('f')), 'ok: role primary');
  t.equal(await asked({ role: 'replica' }, row('f')), 'wrong-role: is primary, not replica');
  t.equal(await asked({ role: 'primary' }, row('t')), 'wrong-role: is replica, not primary');
  t.equal(await asked(lagging, row('f', 'f', null, null, null)), 'ok: role primary');
  t.equal(
    await asked(lagging, row('t', 't', '200', '100', '4999.6')),
    'ok: role replica, lags by at most 5000 ms',
  );
  t.equal(
    await asked(lagging, row('t', 't', '200', '100', '5002.3')),
    'lagging: may lag by 5002 ms, allowed are 5000 ms',
  );
  t.equal(
    await asked(lagging, row('t', 't', '200', '100', null)),
    'lagging: how far it lags is unknown',
  );
  t.equal(await asked({}, row('maybe')), 'wrong-answer: pg_is_in_recovery() is "maybe"');
  t.equal(await asked({}, READY), 'wrong-answer: pg_is_in_recovery() is "NULL"');
  t.equal(
    await asked({}, Buffer.concat([error('57P01', 'bye'), READY])),
    'not-ready: FATAL: bye (57P01)',
  );
  t.match(await asked({}, pgMessage('D', '\0\x05', 9)), /^wrong-answer: /, 'a row that lies');
});

t.test('a server without TLS, or one that talks before it, is refused', async (t) => {
  const tls = { serverName: null, verify: false, caFile: null };
  const secured = async (answer: string): Promise<string> =>
    line((await askScript(t, { ...SPEC, tls }, [say(answer, '\x04\xd2\x16\x2f')])).result);
  t.equal(await secured('N'), 'tls: the server does not speak TLS');
  t.equal(await secured('SX'), 'wrong-answer: data before the TLS handshake');
  t.match(await secured('E'), /^not-ready: /);
  t.equal(await secured('?'), 'wrong-answer: not PostgreSQL: no answer to SSLRequest');
});
