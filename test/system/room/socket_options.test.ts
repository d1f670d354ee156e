/** A socket costs no more than it has to, in a thread that has met the options of some. */
import { Socket } from 'node:net';
import t from 'tap';
import { meetSocketOptions } from '../../../src/system/socket_options.js';

const SOCKETS = 5_000;

/** As a server of Node.js makes them. */
function microsOfEach(): number {
  const before = process.cpuUsage();
  for (let count = 0; count < SOCKETS; count++) {
    new Socket({ allowHalfOpen: true, readable: true, writable: true });
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / SOCKETS;
}

const skip = process.version.startsWith('v20.') ? false : 'V8 11 is that of Node.js 20';

t.test('a socket takes less than half of its time', { skip }, async (t) => {
  // Until it is compiled.
  for (let round = 0; round < 5; round++) microsOfEach();
  const before = microsOfEach();
  meetSocketOptions();
  for (let round = 0; round < 5; round++) microsOfEach();
  const after = microsOfEach();
  t.ok(after < before / 2, `${after} µs after, ${before} µs before`);
});
