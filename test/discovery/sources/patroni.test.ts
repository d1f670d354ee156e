/** Members of a Patroni cluster: what an answer of `GET /cluster` means. */
import t, { type Test } from 'tap';
import type { PatroniSourceSpec } from '../../../src/core/discovery_spec.js';
import { BACKEND_NAME_PATTERN } from '../../../src/core/identity.js';
import { patroniSource } from '../../../src/discovery/sources/patroni.js';
import { wrongServer } from '../../support/servers/wrong_http.js';
import { asked, DEPS, texts } from './asked.js';

type Told = Readonly<Record<string, unknown>>;

function replica(name: string, host: string, more: Told = {}): Told {
  return { name, role: 'replica', state: 'streaming', host, port: 5_432, lag: 0, ...more };
}

function leader(name: string, host: string, timeline: number): Told {
  return { name, role: 'leader', state: 'running', host, port: 5_432, timeline };
}

/** One member for each of `answers`. */
async function patroniFor(
  t: Test,
  answers: readonly (readonly Told[])[],
  more: Partial<PatroniSourceSpec> = {},
) {
  const urls: string[] = [];
  for (const members of answers) {
    const server = await wrongServer(t);
    server.says(JSON.stringify({ members }));
    urls.push(server.origin);
  }
  const spec = { kind: 'patroni', urls, role: 'any', maxLagBytes: 0, caFile: null } as const;
  return asked(patroniSource({ ...spec, ...more }, DEPS));
}

t.test('a name that no backend may have is none, and its member has its address', async (t) => {
  const names = ['pg 1', 'p\u0000g', 'пг', '*', '', 'n'.repeat(129)];
  const members = names.map((name, place) => replica(name, `10.0.0.${place + 1}`));
  const ask = await patroniFor(t, [[...members, replica('pg-9', '2001:db8::9')]]);
  const answer = await ask();
  t.same(texts(answer), [
    ...names.map((_, place) => `10.0.0.${place + 1}:5432`),
    '[2001:db8::9]:5432 pg-9',
  ]);
  if (answer.kind !== 'members') return;
  t.ok(answer.members.every(({ name }) => name === null || BACKEND_NAME_PATTERN.test(name)));
});

t.test('of members that disagree the one with the newest leader is believed', async (t) => {
  const cutOff = [leader('a', '10.0.0.1', 3), replica('b', '10.0.0.2')];
  const newest = [leader('b', '10.0.0.2', 4), replica('a', '10.0.0.1')];
  for (const answers of [
    [cutOff, newest],
    [newest, cutOff],
  ]) {
    const ask = await patroniFor(t, answers, { role: 'primary' });
    t.same(texts(await ask()), ['10.0.0.2:5432 b']);
  }
});

t.test('a replica that is behind, spared or stopped is not named', async (t) => {
  const ask = await patroniFor(
    t,
    [
      [
        leader('a', '10.0.0.1', 1),
        replica('b', '10.0.0.2', { lag: 100 }),
        replica('c', '10.0.0.3', { lag: 101 }),
        replica('d', '10.0.0.4', { lag: 'unknown' }),
        replica('e', '10.0.0.5', { tags: { noloadbalance: true } }),
        replica('f', '10.0.0.6', { state: 'stopped' }),
        replica('g', '10.0.0.7', { role: 'standby_leader' }),
      ],
    ],
    { role: 'replica', maxLagBytes: 100 },
  );
  t.same(texts(await ask()), ['10.0.0.2:5432 b']);
});
