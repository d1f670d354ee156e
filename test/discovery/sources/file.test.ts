/** Lists in files, as programs and people write them and mount them. */
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { formatAddress } from '../../../src/core/endpoint.js';
import { seededRandom } from '../../../src/core/random.js';
import type { SourceAnswer } from '../../../src/discovery/source.js';
import { fileSource } from '../../../src/discovery/sources/file.js';
import { holdProcess } from '../../../src/system/timers.js';
import { atRate } from '../../support/deadline.js';
import { fastTime } from '../../support/fast_time.js';
import { tempFolder } from '../../support/places.js';

const NEVER = new AbortController().signal;

/** Nothing else keeps the process while the source waits. */
t.teardown(holdProcess());

function source(t: Test, path = join(tempFolder(t), 'members')) {
  const made = fileSource({ kind: 'file', path }, { ...fastTime(1), random: seededRandom(1) });
  return { path, ask: () => made.ask(NEVER) };
}

function texts(answer: SourceAnswer): readonly string[] | string {
  if (answer.kind === 'failed') return answer.problem;
  if (answer.kind === 'unchanged') return 'unchanged';
  return answer.members.map(({ address }) => formatAddress(address));
}

t.test('one address a line, with comments', async (t) => {
  const { path, ask } = source(t);
  writeFileSync(path, '# ours\n10.0.0.1:5432\n\n  [::1]:5432  # here\ndb.example:1\n');
  t.same(texts(await ask()), ['10.0.0.1:5432', '[::1]:5432', 'db.example:1']);
  t.same(await ask(), { kind: 'unchanged', againMs: 1_300 });
  writeFileSync(path, '10.0.0.1:5432\n10.0.0.2\n');
  t.equal(texts(await ask()), `${path}: line 2: "10.0.0.2": no port`);
});

t.test("Prometheus' groups, with sluice's labels", async (t) => {
  const { path, ask } = source(t);
  writeFileSync(
    path,
    JSON.stringify([
      { targets: ['10.0.0.1:1', '10.0.0.2:1'], labels: { job: 'pg', __sluice_weight: '7' } },
      {
        targets: ['10.0.0.3:1'],
        labels: {
          __sluice_name: 'three',
          __sluice_backup: 'true',
          __sluice_max_connections: '9',
        },
      },
    ]),
  );
  t.match(await ask(), {
    members: [
      { name: null, weight: 7, backup: false, maxConnections: null },
      { name: null, weight: 7 },
      { name: 'three', weight: 1, backup: true, maxConnections: 9 },
    ],
  });
});

t.test('a list of which one part is wrong is wrong, and says where', async (t) => {
  const bad = {
    '[{"targets": "10.0.0.1:1"}]': 'group 1: targets is no list',
    '[{"targets": []}, 7]': 'group 2: not an object',
    '[{"targets": [7]}]': 'group 1: a target is no text',
    '[{"targets": ["a:1"], "labels": []}]': 'group 1: labels is no object',
    '[{"targets": ["a:1"], "labels": {"__sluice_weight": "1001"}}]':
      'group 1: __sluice_weight: unusable value "1001"',
    '[{"targets": ["a:1"], "labels": {"__sluice_wieght": "1"}}]':
      'group 1: unknown label __sluice_wieght',
    '[{"targets": ["a:1", "b:1"], "labels": {"__sluice_name": "x"}}]':
      'group 1: __sluice_name can name one target only',
    '{"targets": []}': 'its JSON is no list of groups with targets',
    '[{"targets": ["10.0.0.1:1"]}': 'it is not JSON, or only a part of it',
  };
  for (const [text, problem] of Object.entries(bad)) {
    const { path, ask } = source(t);
    writeFileSync(path, text);
    t.equal(texts(await ask()), `${path}: ${problem}`);
  }
});

t.test('a mounted file changes by a symbolic link, and is followed', async (t) => {
  const folder = tempFolder(t);
  const put = (version: string, text: string): void => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'members'), text);
    symlinkSync(version, join(folder, '..new'));
    renameSync(join(folder, '..new'), join(folder, '..data'));
  };
  // As Kubernetes mounts a ConfigMap.
  put('v1', '10.0.0.1:1\n');
  symlinkSync('..data/members', join(folder, 'members'));
  const { ask } = source(t, join(folder, 'members'));
  t.same(texts(await ask()), ['10.0.0.1:1']);
  put('v2', '10.0.0.2:1\n');
  t.same(texts(await ask()), ['10.0.0.2:1']);
});

t.test('a file that is still being written is read when it stands still', async (t) => {
  const { path, ask } = source(t);
  writeFileSync(path, '10.0.0.1:1\n10.0.0');
  const answer = ask();
  setImmediate(() => appendFileSync(path, '.2:1\n'));
  t.same(texts(await answer), ['10.0.0.1:1', '10.0.0.2:1']);
});

t.test('a storm of renames does not keep a reader from one of the files', async (t) => {
  const { path, ask } = source(t);
  let version = 0;
  const put = (): void => {
    writeFileSync(`${path}.new`, `10.0.0.1:${1 + (version++ % 60_000)}\n`);
    renameSync(`${path}.new`, path);
  };
  put();
  const storm = atRate(200, 1_000, put);
  const first = texts(await ask());
  t.match(first, [/^10\.0\.0\.1:\d+$/]);
  t.not(texts(await ask()), first, 'and another one later');
  await storm;
});

t.test('links that lead in a circle are reported in words', async (t) => {
  const { path, ask } = source(t);
  symlinkSync(path, path);
  t.match(
    texts(await ask()),
    /^\S+: its symbolic links lead in a circle, or are too many \(ELOOP\)$/,
  );
});
