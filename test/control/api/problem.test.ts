/** What the server itself turns away is called what it is. */
import t from 'tap';
import { problemOfStatus } from '../../../src/control/api/problem.js';

t.test('only what went wrong inside is a defect', async (t) => {
  const kinds = [400, 413, 500, 503, 505].map((status) => problemOfStatus(status, 'why').kind);
  t.same(kinds, ['bad-request', 'bad-request', 'defect', 'too-many', 'bad-request']);
});
