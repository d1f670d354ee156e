/** What no answer of any source may do. */
import t from 'tap';
import type { SourceKind } from '../../src/core/discovery_spec.js';
import { membersFound, sourceFailed } from '../../src/discovery/source.js';
import { vetted } from '../../src/discovery/vetted.js';
import { letters, member, members } from './members.js';

t.test('an address counts once, and other values for it are reported', async (t) => {
  const answer = vetted(
    'http',
    membersFound(
      [
        member('a', { weight: 3 }),
        member('b'),
        member('a', { weight: 5 }),
        member('a', { weight: 3 }),
        member('c'),
        member('c', { backup: true }),
        member('c', { backup: true, weight: 2 }),
      ],
      0,
      ['x: no port'],
    ),
  );
  t.match(answer, {
    members: [{ name: 'a', weight: 3 }, { name: 'b' }, { name: 'c', backup: false }],
    leftOut: [
      'x: no port',
      '10.0.0.1:5432 is named once more, with other values: the first counts',
      '10.0.0.3:5432 is named 2 more times, with other values: the first counts',
    ],
  });
});

t.test('the same said twice is not reported', async (t) => {
  const answer = vetted('dns', membersFound(members('abab'), 0));
  t.same(answer, membersFound(members('ab'), 0));
});

t.test('a source names UNIX sockets only when it is a file', async (t) => {
  const socket = member('s', { address: { kind: 'unix', path: '/run/x.sock' } });
  const said = membersFound([socket, member('b')], 0);
  t.equal(vetted('file', said), said);
  const others: readonly SourceKind[] = [
    'dns',
    'http',
    'etcd',
    'consul',
    'kubernetes',
    'sentinel',
    'patroni',
  ];
  for (const kind of others) {
    const answer = vetted(kind, said);
    t.equal(answer.kind === 'members' ? letters(answer.members) : '', 'b', kind);
    t.match(answer, { leftOut: ['unix:/run/x.sock: only a file may name UNIX sockets'] }, kind);
  }
});

t.test('an answer that names none is what it was', async (t) => {
  const failure = sourceFailed('timeout', 'mute');
  t.equal(vetted('http', failure), failure);
});
