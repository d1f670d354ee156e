import t from 'tap';
import { userName } from '../../src/files/accounts.js';

t.test(
  'a user has its name at each question, and one that is not in the file has none',
  async (t) => {
    t.same([userName(0), userName(0)], ['root', 'root']);
    t.same([userName(4_000_000_000), userName(4_000_000_000)], [null, null]);
  },
);
