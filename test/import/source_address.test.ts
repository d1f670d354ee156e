/** What a proxy dials from is taken only where `source` of a pool may say it. */
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { isSourceAddress } from '../../src/import/source_address.js';

t.test('an address that is taken is one that a pool may have', async (t) => {
  const texts = ['10.0.4.9', '::1', '2001:DB8::7', '0.0.0.0', '::', '0:0::0', '999.1.1.1', '1.2.3'];
  for (const text of [...texts, '10.0.4.9:80', '[::1]', 'fe80::1%eth0', 'db.example', '']) {
    const read = loadConfig(pool(text), 'sluice.toml');
    t.equal(isSourceAddress(text), read.ok, text);
  }
});

function pool(source: string): string {
  return `
[listeners.app]
bind = "127.0.0.1:1"
pool = "app"
[pools.app]
source = ["${source}"]
backends = [{ address = "127.0.0.1:2" }]
`;
}
