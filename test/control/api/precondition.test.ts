/** Which changes If-Match rules out: RFC 9110, section 13.1.1. */
import t from 'tap';
import { isStale } from '../../../src/control/api/precondition.js';

const NOW = '"m1-7"';

t.test(
  'a change is made without a tag, with *, and with the present one among others',
  async (t) => {
    for (const fitting of [
      null,
      '*',
      ' * ',
      NOW,
      `"m1-6", ${NOW}`,
      `${NOW},"a,b"`,
      `W/"x" , ${NOW}`,
    ]) {
      t.equal(isStale(fitting, NOW), false, String(fitting));
    }
  },
);

t.test('another tag, a weak one and what is no tag rule it out', async (t) => {
  const others = [
    '"nonsense"',
    '"m1-6", "m1-8"',
    `W/${NOW}`,
    'm1-7',
    '',
    `junk ${NOW}`,
    `${NOW} *`,
  ];
  for (const stale of others) t.equal(isStale(stale, NOW), true, stale);
});
