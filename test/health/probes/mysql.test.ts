import t from 'tap';
import { mysqlPacket, say } from '../../contract/probe_cases.js';
import { askScript, line } from './ask.js';

const GREETING = mysqlPacket(0, `\x0a8.0.36\0\x01\0\0\0abcdefgh\0${'\0'.repeat(30)}`);
const LOGIN_END = 'mysql_native_password\0';

async function answered(...answers: readonly Buffer[]): Promise<string> {
  const after = ['', LOGIN_END, '\0\0\0\x03'];
  const steps = answers.map((send, index) => say(send, after[index] ?? ''));
  return line((await askScript(t, { kind: 'mysql' }, steps)).result);
}

t.test('every answer to the login that is about the account proves that it serves', async (t) => {
  const ok = 'ok: version 8.0.36';
  t.equal(await answered(GREETING, mysqlPacket(2, '\0\0\0\x02\0\0\0')), ok);
  t.equal(await answered(GREETING, mysqlPacket(2, '\xff\x15\x04#28000Access denied')), ok);
  t.equal(await answered(GREETING, mysqlPacket(2, '\xff\x57\x0c#HY000TLS required')), ok);
  t.equal(await answered(GREETING, mysqlPacket(2, '\x01\x04')), ok);
  const switched = mysqlPacket(2, '\xfecaching_sha2_password\0salt');
  t.equal(await answered(GREETING, switched, mysqlPacket(4, '\xff\x15\x04#28000No')), ok);
});

t.test('an error in place of the greeting, or about the server, is not ready', async (t) => {
  t.equal(
    await answered(mysqlPacket(0, '\xff\x10\x04Too many connections')),
    'not-ready: Too many connections (1040)',
  );
  t.equal(
    await answered(mysqlPacket(0, "\xff\x69\x04Host 'x' is blocked")),
    "not-ready: Host 'x' is blocked (1129)",
  );
  t.equal(
    await answered(GREETING, mysqlPacket(2, '\xff\x1d\x04#08S01Server shutdown in progress')),
    'not-ready: Server shutdown in progress (1053)',
  );
});

t.test('what is not MySQL is reported as that', async (t) => {
  t.match(
    await answered(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')),
    /^wrong-answer: not MySQL: "SSH-/,
  );
  t.match(await answered(mysqlPacket(0, '\x09old')), /^wrong-answer: not MySQL/);
  t.match(await answered(GREETING, mysqlPacket(2, 'what')), /^wrong-answer: no answer to a login/);
});

t.test('the connection ends in order, so that it does not count as broken off', async (t) => {
  const steps = [say(GREETING), say(mysqlPacket(2, '\0\0\0\x02\0\0\0'), LOGIN_END)];
  const { received } = await askScript(t, { kind: 'mysql' }, steps);
  t.equal(received.slice(1, 4), '\0\0\x01', 'the login has the number after the greeting');
  t.ok(received.endsWith('\x01\0\0\0\x01'), 'COM_QUIT');
});
