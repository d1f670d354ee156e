/** Ports of tests: no process of tests has one that another has, however many run at once. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { freePort } from '../support/places.js';
import { startChild } from '../support/process.js';

const PLACES = new URL('../support/places.js', import.meta.url).href;
const EACH = 150;
/** Takes ports, prints them and keeps what it has until it is ended. */
const TAKER = `
  const { freePort } = await import(${JSON.stringify(PLACES)});
  const ports = await Promise.all(Array.from({ length: ${EACH} }, () => freePort()));
  console.log(ports.join(' '));
  setInterval(() => {}, 1_000);
`;

t.test('processes that ask at once have different ports', async (t) => {
  const flags = ['--input-type=module', '-e', TAKER];
  const takers = Array.from({ length: 3 }, () => startChild(t, process.execPath, flags));
  const lines = takers.map((taker) => taker.stdout.first('its ports', () => true));
  const own = Promise.all(Array.from({ length: EACH }, () => freePort()));
  const told = (await Promise.all(lines)).flatMap((line) => line.split(' ').map(Number));
  const all = [...told, ...(await own)];
  t.equal(all.length, 4 * EACH);
  t.equal(new Set(all).size, all.length, 'none is given twice');
  t.ok(Math.min(...all) > 12_000 && Math.max(...all) < 32_768, 'no outgoing connection has one');
});

t.test('a port that something else uses, be it for datagrams, is not given', async (t) => {
  // The next one is the one after it, as no other process asks.
  const port = await freePort();
  const [tcp, udp] = [createServer(), createSocket('udp4')];
  tcp.listen(port + 1, '127.0.0.1');
  udp.bind(port + 2, '127.0.0.1');
  t.teardown(() => [tcp.close(), udp.close()]);
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
  t.ok((await freePort()) > port + 2);
});
