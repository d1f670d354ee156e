/** What the server itself turns away is called what it is. */
import t from 'tap';
import { refusalOf } from '../../../src/control/api/problem.js';

t.test('only what went wrong inside is a defect', async (t) => {
  const types = [400, 413, 500, 503, 505].map((status) => {
    const { type } = JSON.parse(refusalOf(status, 'why').body);
    return String(type).replace('urn:sluice:problem:', '');
  });
  t.same(types, ['bad-request', 'bad-request', 'defect', 'too-many', 'bad-request']);
});
