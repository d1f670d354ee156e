import t from 'tap';
import { Recorder, type Recording } from '../../../src/balance/simulate/recorded.js';

const line = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ backend: 'b0', ...fields });

function readRecording(lines: readonly string[], listener: string | null): Recording {
  const recorder = new Recorder(listener);
  for (const text of lines) recorder.add(text);
  return recorder.recording();
}

t.test(
  'sessions begin their duration before their line was written, and are put in order',
  async (t) => {
    const { arrivals, skippedLines } = readRecording(
      [
        line({ time: 10_000, duration_ms: 500, client: '192.0.2.1:5000', listener: 'pg' }),
        line({ time: 11_000, duration_ms: 3000, client: '192.0.2.2:5000', listener: 'pg' }),
        line({ time: '1970-01-01T00:00:12.000Z', duration_ms: 0, client: '192.0.2.1:5001' }),
      ],
      null,
    );
    t.equal(skippedLines, 0);
    t.same([...arrivals.atMs], [0, 1500, 4000]);
    t.same([...arrivals.workMs], [3000, 500, 0]);
    t.same([...arrivals.client], [0, 1, 1], 'a client is an address without its port');
    t.same(arrivals.clients, [Uint8Array.of(192, 0, 2, 2), Uint8Array.of(192, 0, 2, 1)]);
  },
);

t.test('clients are read in every form that a log has', async (t) => {
  const forms = ['[2001:db8::1]:443', '2001:db8::1', '192.0.2.7', '192.0.2.7:1', 'unix:'];
  const { arrivals } = readRecording(
    forms.map((client, i) => line({ time: 1000 + i, duration_ms: 1, client })),
    null,
  );
  t.same([...arrivals.client], [0, 0, 1, 1, 2]);
  t.same(
    arrivals.clients.map((key) => key.length),
    [16, 4, 0],
  );
});

t.test('what is no session, or of another listener, is counted and left out', async (t) => {
  const good = { time: 1000, duration_ms: 5, client: '192.0.2.1:1', listener: 'pg' };
  const { arrivals, skippedLines } = readRecording(
    [
      line(good),
      '',
      'not JSON',
      'null',
      '17',
      line({ ...good, listener: 'redis' }),
      line({ ...good, duration_ms: '5' }),
      line({ ...good, duration_ms: -5 }),
      line({ ...good, time: 'yesterday' }),
      line({ ...good, client: undefined }),
      line({ ...good, backend: null }),
      line({ event: 'backend-up' }),
    ],
    'pg',
  );
  t.equal(arrivals.count, 1);
  t.equal(skippedLines, 10);
});
