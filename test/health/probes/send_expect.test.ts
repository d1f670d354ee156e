import t from 'tap';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { say } from '../../contract/probe_cases.js';
import { startTcpPeer } from '../../contract/probe_peers.js';
import { ask, askScript, line } from './ask.js';

type SendExpectSpec = Extract<ProbeSpec, { kind: 'send-expect' }>;

function spec(minimumBytes: number, ...steps: readonly (readonly [string, string])[]) {
  const bytes = (text: string) => (text === '' ? null : Buffer.from(text));
  return {
    kind: 'send-expect',
    steps: steps.map(([send, expect]) => ({ send: bytes(send), expect: bytes(expect) })),
    minimumBytes,
    tls: null,
  } as const satisfies SendExpectSpec;
}

t.test('what is expected comes in order, with anything in between', async (t) => {
  const mail = spec(0, ['', '220'], ['EHLO me\r\n', '250-SIZE'], ['', '250 '], ['QUIT\r\n', '221']);
  const { result, received } = await askScript(t, mail, [
    say('greetings\r\n220 mail\r\n'),
    say('250-PIPELINING\r\n250-SIZE 1000\r\n250 HELP\r\n', 'EHLO'),
    say('221 bye', 'QUIT'),
  ]);
  t.equal(line(result), 'ok: ');
  t.equal(received, 'EHLO me\r\nQUIT\r\n');
});

t.test('the wrong order is a no', async (t) => {
  const steps = spec(5, ['', 'second'], ['', 'first']);
  const { result } = await askScript(t, steps, [say('first second third')]);
  t.equal(line(result), 'wrong-answer: expected "first", got " third"');
});

t.test('other data is a no as soon as the minimum has come', async (t) => {
  const { result } = await askScript(t, spec(4, ['PING\r\n', '+PONG']), [say('-ERR', 'PING')]);
  t.equal(line(result), 'wrong-answer: expected "+PONG", got "-ERR"');
});

t.test('without a minimum the rest may still come, until the time is over', async (t) => {
  const abort = new AbortController();
  const peer = await startTcpPeer({ steps: [say('-ERR', 'PING')] }, 'none');
  const asked = ask(spec(0, ['PING\r\n', '+PONG']), peer.endpoint, abort.signal);
  await peer.stalled;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  t.equal(line(await asked), 'timeout: timed out waiting for "+PONG", got "-ERR"');
  await peer.stop();
});

t.test('an answer to an earlier step is none to a later one', async (t) => {
  const steps = spec(2, ['', 'ready'], ['one\r\n', 'OK'], ['two\r\n', 'OK']);
  const { result } = await askScript(t, steps, [
    say('ready OK OK OK'),
    say('OK OK', 'one'),
    say('no', 'two'),
  ]);
  t.equal(line(result), 'wrong-answer: expected "OK", got "no"');
});
