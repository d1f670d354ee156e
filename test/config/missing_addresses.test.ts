import t from 'tap';
import { findMissingAddresses } from '../../src/config/missing_addresses.js';
import { loadSpec } from '../support/load_spec.js';

const TEXT = `[listeners.a]
bind = ["192.0.2.1:80", "127.3.2.1:80", "0.0.0.0:81", "unix:/run/x.sock", "[2001:db8::1]:80"]
pool = "p"
[listeners.b]
bind = "192.0.2.2:80"
bind_missing = true
pool = "p"
[pools.p]
source = ["127.0.0.9", "192.0.2.4"]
[[pools.p.backends]]
address = "192.0.2.3:80"`;

t.test(
  'an address that a listener binds and this machine lacks is reported, with a remedy',
  async (t) => {
    const found = await findMissingAddresses(TEXT, 'x.toml', loadSpec(TEXT));
    t.match(found, [
      {
        code: 'no-such-address',
        line: 2,
        key: 'listeners.a.bind[0]',
        problem: 'this machine does not have 192.0.2.1',
        expected: /bind_missing = true/,
      },
      { line: 2, key: 'listeners.a.bind[4]', problem: 'this machine does not have 2001:db8::1' },
    ]);
    t.match(found[2], {
      line: 9,
      key: 'pools.p.source[1]',
      expected: /the others are dialled from, and where none is, clients are refused/,
    });
    t.equal(found.length, 3, 'and no other');
  },
);
