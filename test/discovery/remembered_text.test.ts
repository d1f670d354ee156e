/** Last good answers survive a restart as they were, and nothing else is read as such. */
import t from 'tap';
import { readRemembered, rememberedText } from '../../src/discovery/remembered_text.js';
import { member } from './members.js';

const ALL = [
  { pool: 'p', source: 'file /a', members: [member('a'), member('b', { role: 'primary' })] },
  { pool: 'p', source: 'dns x:1', members: [] },
  {
    pool: 'q',
    source: 'file /a',
    members: [
      member('c', { name: null, weight: 0, maxConnections: 7, backup: true }),
      member('d', { address: { kind: 'name', host: 'db.example', port: 1 } }),
    ],
  },
];

t.test('what was written is read as it was', async (t) => {
  t.same(readRemembered(rememberedText(ALL)), ALL);
  t.same(readRemembered(rememberedText([])), []);
});

t.test('what is only a part, or something else, is nothing', async (t) => {
  const text = rememberedText(ALL);
  for (let length = 0; length < text.length - 2; length += 7) {
    t.equal(readRemembered(text.slice(0, length)), null);
  }
  t.equal(readRemembered(text.replace('10.0.0.1:5432', '10.0.0.1')), null);
  t.equal(readRemembered(text.replace('"weight":1', '"weight":-1')), null);
  t.equal(readRemembered(text.replace('"version": 1', '"version": 2')), null);
});
