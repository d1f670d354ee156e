import t from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { backendKey, listenerKey } from '../../src/core/identity.js';

t.test('a listener is another one when its protocol or its name changes', async (t) => {
  const keys = [
    listenerKey({ protocol: 'tcp', name: 'a' }),
    listenerKey({ protocol: 'udp', name: 'a' }),
    listenerKey({ protocol: 'tcp', name: 'b' }),
  ];
  t.equal(new Set(keys).size, 3);
});

t.test('a backend is another one when its address or its name changes', async (t) => {
  const here = ipEndpoint(4, '192.0.2.1', 5);
  t.equal(backendKey({ name: 'a' }, here), backendKey({ name: 'a' }, { ...here }));
  const keys = [
    backendKey({ name: 'a' }, here),
    backendKey({ name: 'b' }, here),
    backendKey({ name: 'a' }, ipEndpoint(4, '192.0.2.1', 6)),
    backendKey({ name: 'a' }, { kind: 'name', host: '192.0.2.1', port: 6 }),
  ];
  t.equal(new Set(keys.slice(0, 3)).size, 3);
  t.equal(keys[2], keys[3], 'an address as the file has it has the text of what it leads to');
});
