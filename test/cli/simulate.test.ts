import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { simulate } from '../../src/cli/simulate.js';
import { readSimulateWords, simulateOptions } from '../../src/cli/simulate_options.js';
import type { Words } from '../../src/cli/word_reader.js';
import { POLICY_NAMES } from '../../src/core/spec.js';
import { policyNamed } from '../support/policies.js';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(words: Words): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const code = await simulate(
    words,
    { write: (text) => (stdout += text) },
    { write: (text) => (stderr += text) },
  );
  return { code, stdout, stderr };
}

const SHORT = { duration: '2s', backends: '4', rate: '400' };

t.test('a table has one line a policy, below what was simulated', async (t) => {
  const { code, stdout } = await run(SHORT);
  t.equal(code, 0);
  const lines = stdout.trimEnd().split('\n');
  t.match(lines[0], /^\d+ sessions over 4 backends, load 0\.\d\d \(seed 1\)\.$/);
  t.match(lines[2], /^policy +p50 ms +p99 ms +imbalance +moved +refused +failed dials +lost$/);
  t.same(
    lines.slice(3).map((line) => line.split(' ')[0]),
    POLICY_NAMES,
  );
});

t.test('JSON has the same figures in full, and the same seed repeats them', async (t) => {
  const words = { ...SHORT, json: true, policy: 'p2c,source-hash', down: ['b1@500ms-1s'] };
  const { code, stdout } = await run(words);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), {
    seed: 1,
    backends: 4,
    skippedLines: 0,
    policies: [
      { policy: 'p2c', movedShare: null },
      { policy: 'source-hash', movedShare: Number },
    ],
  });
  t.equal((await run(words)).stdout, stdout);
  t.not((await run({ ...words, seed: '2' })).stdout, stdout);
});

t.test('an access log is replayed', async (t) => {
  const path = join(t.testdir(), 'access.log');
  const lines = Array.from({ length: 50 }, (_, i) =>
    JSON.stringify({
      time: new Date(1_700_000_000_000 + i * 100).toISOString(),
      listener: i % 2 === 0 ? 'pg' : 'redis',
      client: `192.0.2.${i}:5000`,
      backend: 'b0',
      duration_ms: 40,
    }),
  );
  await writeFile(path, [...lines, '{"event":"reload"}'].join('\n'));
  const all = await run({ log: path, backends: '3', policy: 'p2c' });
  t.match(all.stdout, /^50 sessions over 3 backends, 1 lines skipped/);
  const some = await run({ log: path, listener: 'pg', backends: '3', policy: 'p2c' });
  t.match(some.stdout, /^25 sessions/);
});

t.test('a log that cannot be used is said with its remedy, exit code 1', async (t) => {
  const dir = t.testdir({ 'empty.log': '{"event":"reload"}\n' });
  const missing = await run({ log: join(dir, 'missing.log') });
  t.equal(missing.code, 1);
  t.match(
    missing.stderr,
    /missing\.log cannot be read: no such file .*; name an access log with --log\n$/,
  );
  const empty = await run({ log: join(dir, 'empty.log'), listener: 'pg' });
  t.equal(empty.code, 1);
  t.match(empty.stderr, /no finished session of listener pg: it takes the JSON lines/);
});

t.test('wrong usage says every problem, exit code 2', async (t) => {
  const { code, stdout, stderr } = await run({
    rate: 'much',
    backend: ['a', 'a', 'b,weight=x'],
    slow: ['c@1s-2sx3'],
    balanceFactor: '0.5',
  });
  t.equal(code, 2);
  t.equal(stdout, '');
  t.same(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.split(':')[0])
      .sort(),
    ['--backend', '--backend', '--balance-factor', '--rate', '--slow'],
  );
});

t.test('every default in the help is one that is taken', async (t) => {
  const read = readSimulateWords({});
  t.ok(read.ok);
  t.match(read, {
    value: {
      policies: POLICY_NAMES.map((name) => policyNamed(name)),
      seed: 1,
      output: 'table',
      pool: { slots: 1, detectMs: 3000, retries: 2 },
      source: { kind: 'drawn', spec: { ratePerSecond: 1000, durationMs: 60_000, meanWorkMs: 8 } },
    },
  });
  t.ok(simulateOptions.every((option) => option.description.length > 0));
});
