/** Where several workers can listen on one port. */
import t from 'tap';
import { portSharing } from '../../src/control/port_sharing.js';

t.test('without foreign calls it takes the reusePort of Node.js 22.12 or 23.1', async (t) => {
  const on = (version: string) => portSharing(null, version);
  t.same(['20.19.0', '22.11.0', '23.0.0'].map(on), Array(3).fill('impossible'));
  t.same(['22.12.0', '23.1.0', '24.0.0'].map(on), Array(3).fill('possible'));
});
