import t from 'tap';
import { hasReusePort } from '../../../src/engine/node/reuse_port.js';
import { sharingOptions } from '../../../src/engine/node/udp_socket.js';

t.test('Node.js sets SO_REUSEPORT from 22.12 and from 23.1 on', async (t) => {
  for (const version of ['20.19.0', '22.11.0', '23.0.0']) t.notOk(hasReusePort(version), version);
  for (const version of ['22.12.0', '23.1.0', '24.0.0', '26.1.0']) t.ok(hasReusePort(version));
});

t.test('a UDP port is shared by SO_REUSEADDR where Node.js has no better way', async (t) => {
  t.same(sharingOptions('22.11.0'), { reuseAddr: true });
  t.same(sharingOptions('23.0.0'), { reuseAddr: true }, 'which reusePort would not do');
  t.same(sharingOptions('23.1.0'), { reusePort: true });
});
