/**
 * What the log writes: events of the catalogue as JSON lines, bounded, and changeable while it
 * runs.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AccessRecord } from '../../src/core/access.js';
import type { Clock } from '../../src/core/clock.js';
import type { LogSpec } from '../../src/core/spec.js';
import {
  ACCESS_ERROR_LINES_PER_WINDOW,
  ACCESS_WINDOW_MS,
  createLog,
  EVENT_LINES_PER_WINDOW,
  EVENT_WINDOW_MS,
  type Log,
} from '../../src/observe/log.js';
import { systemTimers } from '../../src/system/timers.js';

const SPEC: LogSpec = { level: 'info', format: 'json', access: 'errors' };
const RECORD: AccessRecord = {
  id: '0-g1',
  protocol: 'tcp',
  listener: 'pg',
  client: '192.0.2.7:40000',
  local: '192.0.2.1:5432',
  pool: 'main',
  backend: null,
  policy: 'p2c',
  tried: ['a', 'b'],
  queueMs: null,
  connectMs: 1.23456,
  firstByteMs: null,
  durationMs: 10.0004,
  bytesIn: 5,
  bytesOut: 0,
  unlogged: 0,
  leftOut: null,
  clientPath: { rttMs: 0.0512, retransmits: 0 },
  backendPath: null,
  end: { by: 'sluice', stage: 'dial', cause: 'dial-failed' },
};

interface Written {
  readonly log: Log;
  readonly clock: Clock;
  readonly suppressed: Map<string, number>;
  /** Moves the clock. */
  pass(milliseconds: number): void;
  text(): Promise<string>;
  lines(): Promise<Record<string, unknown>[]>;
}

function written(t: Test, spec: LogSpec = SPEC, reader: 'journald' | 'any' = 'any'): Written {
  const file = join(t.testdir(), 'log');
  const descriptor = openSync(file, 'w');
  t.teardown(() => closeSync(descriptor));
  let nowMs = 0;
  const suppressed = new Map<string, number>();
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => 1_700_000_000_123 };
  const log = createLog({
    spec,
    clock,
    timers: systemTimers,
    write: (bytes) => ({ kind: 'written', bytes: writeSync(descriptor, bytes) }),
    reader,
    onSuppressed: (event, lines) => suppressed.set(event, (suppressed.get(event) ?? 0) + lines),
  });
  const text = async (): Promise<string> => {
    await log.flush();
    return readFileSync(file, 'utf8');
  };
  return {
    log,
    clock,
    suppressed,
    pass: (milliseconds) => {
      nowMs += milliseconds;
    },
    text,
    lines: async () =>
      (await text())
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
}

t.test('an event is one line with level, time, name, sentence, fields and remedy', async (t) => {
  const { log, lines } = written(t);
  log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
  const [line] = await lines();
  t.match(line, {
    level: 'warn',
    time: '2023-11-14T22:13:20.123Z',
    event: 'accept-failed',
    msg: 'The kernel could not hand over a connection; accepting goes on.',
    listener: 'pg',
    errno: 'EMFILE',
    remedy: /LimitNOFILE/,
  });
  t.notOk(line && ('pid' in line || 'hostname' in line), 'journald has those');
});

t.test('a field that is not known is left out, and so is an empty remedy', async (t) => {
  const { log, lines } = written(t);
  log.event('reloading', { file: '/etc/sluice/sluice.toml', signal: null, by: null });
  t.same(Object.keys((await lines())[0] ?? {}), ['level', 'time', 'event', 'file', 'msg']);
});

t.test('a time has three decimals', async (t) => {
  const { log, lines } = written(t);
  log.event('reloaded', { added: [], removed: [], changed: [], duration_ms: 223.20884300023317 });
  t.equal((await lines())[0]?.['duration_ms'], 223.209);
});

const probe = (backend: string) =>
  ({ pool: 'p', backend, cause: 'timeout', detail: null, duration_ms: 1 }) as const;

t.test('the level hides what is below it, and can be changed while it runs', async (t) => {
  const { log, lines } = written(t);
  log.event('probe-failed', probe('hidden'));
  log.configure({ ...SPEC, level: 'debug' });
  log.event('probe-failed', probe('told'));
  log.configure({ ...SPEC, level: 'error' });
  log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
  t.same(
    (await lines()).map((line) => line['backend']),
    ['told'],
  );
});

t.test('a format that changes while it runs waits for the next log', async (t) => {
  for (const [format, other] of [
    ['json', 'pretty'],
    ['pretty', 'json'],
  ] as const) {
    const { log, text } = written(t, { ...SPEC, format });
    log.configure({ ...SPEC, format: other, level: 'warn' });
    log.event('stopped', { sessions: 0, duration_ms: 1 });
    log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
    t.match(await text(), format === 'json' ? /^\{.*accept-failed/ : /^22:13:20.* WARN/);
  }
});

t.test('an access line has the whole session, in base units and snake case', async (t) => {
  const { log, lines } = written(t);
  log.access(RECORD);
  t.same(await lines(), [
    {
      level: 'info',
      time: '2023-11-14T22:13:20.123Z',
      event: 'session',
      id: '0-g1',
      protocol: 'tcp',
      listener: 'pg',
      client: '192.0.2.7:40000',
      local: '192.0.2.1:5432',
      pool: 'main',
      backend: null,
      policy: 'p2c',
      tried: ['a', 'b'],
      queue_ms: null,
      connect_ms: 1.235,
      first_byte_ms: null,
      duration_ms: 10,
      bytes_in: 5,
      bytes_out: 0,
      unlogged: 0,
      left_out: null,
      client_rtt_ms: 0.051,
      client_retransmits: 0,
      backend_rtt_ms: null,
      backend_retransmits: null,
      outcome: { by: 'sluice', stage: 'dial', cause: 'dial-failed' },
      msg: 'A session or flow has ended.',
    },
  ]);
});

t.test('the level does not hide access lines: access does that', async (t) => {
  const { log, lines } = written(t, { ...SPEC, level: 'error' });
  log.access(RECORD);
  t.equal((await lines()).length, 1);
});

t.test('a repeated event is limited, counted, and the next line says how many', async (t) => {
  const { log, lines, suppressed, pass } = written(t);
  const repeat = (times: number) => {
    for (let i = 0; i < times; i++) log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
  };
  repeat(EVENT_LINES_PER_WINDOW + 7);
  t.equal((await lines()).length, EVENT_LINES_PER_WINDOW);
  t.equal(suppressed.get('accept-failed'), 7);
  log.event('listener-full', { listener: 'pg', limit: 5, detail: 'full' });
  t.equal((await lines()).length, EVENT_LINES_PER_WINDOW + 1, 'another event has its own limit');
  pass(EVENT_WINDOW_MS);
  repeat(2);
  t.same(
    (await lines()).slice(-2).map((line) => line['suppressed']),
    [7, undefined],
  );
});

t.test('events that the configuration bounds are not limited', async (t) => {
  const { log, lines } = written(t);
  const fields = { listener: 'l', protocol: 'tcp', address: '[::]:1', pool: 'p' };
  for (let i = 0; i < 256; i++) log.event('listening', fields);
  t.equal((await lines()).length, 256);
});

t.test(
  'lines of sessions that failed are limited a cause, but not when all are wanted',
  async (t) => {
    const { log, lines, suppressed, pass } = written(t);
    for (let i = 0; i < ACCESS_ERROR_LINES_PER_WINDOW + 3; i++) log.access(RECORD);
    log.access({ ...RECORD, end: { ...RECORD.end, cause: 'all-full' } });
    t.equal((await lines()).length, ACCESS_ERROR_LINES_PER_WINDOW + 1);
    t.equal(suppressed.get('session'), 3);
    pass(ACCESS_WINDOW_MS);
    log.access(RECORD);
    t.equal((await lines()).at(-1)?.['suppressed'], 3);
    log.configure({ ...SPEC, access: 'all' });
    const before = (await lines()).length;
    for (let i = 0; i < 500; i++) log.access(RECORD);
    t.equal((await lines()).length, before + 500);
  },
);

t.test('lines of a sample are not limited: its rate says how many', async (t) => {
  const { log, lines, suppressed } = written(t, { ...SPEC, access: { oneOf: 10 } });
  const finished = { ...RECORD, end: { by: 'client', stage: 'relay', cause: 'finished' } } as const;
  for (let i = 0; i < 300; i++) log.access({ ...finished, leftOut: 9 });
  for (let i = 0; i < ACCESS_ERROR_LINES_PER_WINDOW + 3; i++) log.access(RECORD);
  const all = await lines();
  t.equal(all.filter((line) => line['left_out'] === 9).length, 300);
  t.equal(all.filter((line) => line['left_out'] === null).length, 100);
  t.equal(suppressed.get('session'), 3);
});

t.test('pretty lines are one readable line, and the remedy below it', async (t) => {
  const { log, text } = written(t, { ...SPEC, format: 'pretty' });
  log.event('accept-failed', { listener: 'my pg', errno: 'EMFILE' });
  log.access(RECORD);
  const [first = '', second = '', third = ''] = (await text()).split('\n');
  t.match(
    first,
    /^22:13:20\.123 WARN {2}The kernel could not .* \[accept-failed\] listener="my pg"/,
  );
  t.match(second, /^ {6}remedy: EMFILE/);
  t.match(third, 'tried=[a, b] connect_ms=1.235 duration_ms=10');
  t.match(third, 'outcome=sluice/dial/dial-failed');
  t.notMatch(third, 'null');
});

t.test('text from the network cannot steer the terminal of a reader', async (t) => {
  const { log, text } = written(t, { ...SPEC, format: 'pretty' });
  const detail = 'FATAL: \u001b[2J"x"\n\u009bfake';
  log.event('backend-down', { pool: 'p', backend: 'b', cause: 'not-ready', detail, sessions: 0 });
  t.match(await text(), 'detail="FATAL: \\x1b[2J\\"x\\"\\x0a\\x9bfake" sessions=0\n');
});

t.test(
  'for journald each line begins with its priority, the remedy of a pretty one too',
  async (t) => {
    const json = written(t, { ...SPEC, level: 'debug' }, 'journald');
    json.log.event('probe-failed', probe('b'));
    json.log.event('stopped', { sessions: 0, duration_ms: 1 });
    json.log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
    json.log.event('pool-down', { pool: 'pg', cause: 'all-down', detail: null });
    json.log.access(RECORD);
    const starts = (await json.text()).trimEnd().split('\n');
    t.same(
      starts.map((line) => line.slice(0, 4)),
      ['<7>{', '<6>{', '<4>{', '<3>{', '<6>{'],
    );
    const pretty = written(t, { ...SPEC, format: 'pretty' }, 'journald');
    pretty.log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
    t.match(await pretty.text(), /^<4>22:13:20.*\n<4> {6}remedy: .*\n$/);
  },
);

t.test(
  'a line that cannot be made is dropped and counted, and the next one is written',
  async (t) => {
    const { log, clock, lines, suppressed } = written(t);
    const fails = (): never => {
      throw new Error('a defect');
    };
    log.access(RECORD);
    log.access(Object.defineProperty({ ...RECORD }, 'end', { get: fails }));
    for (const read of ['nowMs', 'wallMs'] as const) {
      const whole = clock[read];
      Object.assign(clock, { [read]: fails });
      log.access(RECORD);
      log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
      Object.assign(clock, { [read]: whole });
    }
    log.access(RECORD);
    log.event('accept-failed', { listener: 'pg', errno: 'EMFILE' });
    t.same(
      (await lines()).map(({ event }) => event),
      ['session', 'session', 'accept-failed'],
    );
    t.same(
      [...suppressed],
      [
        ['session', 3],
        ['accept-failed', 2],
      ],
    );
  },
);
