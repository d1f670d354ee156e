/** Requests that are torn, slow, huge or nonsense change nothing, and do no harm. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import { askControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { within } from '../support/deadline.js';
import { seed } from '../support/seed.js';
import { serviceText } from '../support/settings.js';

const REQUESTS = 10_000;
const AT_ONCE = 50;
const MEGABYTE = 1_048_576;

const PATHS = ['/v1/drain', '/v1/weight', '/v1/reload', '/v1/overrides', '/v1/status', '/v1/', '/'];
const BODIES = [
  '{"backends":["app/a"]}',
  '{"backends":["app/*"],"value":0}',
  '{"backends":["app/a"],"for":"99999d"}',
  '{"backends":[]}',
  '{"dry_run":"yes"}',
  '[[[[[[',
  'null',
];

/** A request that has something wrong with it: a byte more, less or another, or a piece of one. */
function spoiled(random: Random): Buffer {
  const pick = <T>(all: readonly T[]): T => all[below(random, all.length)] as T;
  const body = pick(BODIES);
  const length = pick([body.length, body.length + 1, body.length - 1, 99_999_999, -1]);
  const path = pick(PATHS);
  const head = `${pick(['GET', 'POST', 'PUT', 'BREW'])} ${path} HTTP/1.1\r\nHost: x\r\n`;
  const bytes = Buffer.from(`${head}Content-Length: ${length}\r\n\r\n${body}`);
  // Always broken in its first line, so that none is an order by accident.
  bytes[below(random, 4)] = below(random, 256);
  return bytes.subarray(0, 1 + below(random, bytes.length));
}

t.test('10,000 requests that are spoiled change nothing and take no memory', async (t) => {
  const toml = serviceText({
    name: 'app',
    health: 'probe = "none"',
    backends: [{ name: 'a', address: '127.0.0.1:1' }],
  });
  const { daemon, socket } = await startOperated(t, { toml });
  const random = seededRandom(seed);
  const before = daemon.rssBytes();
  const one = async (bytes: Buffer): Promise<void> => {
    const client = connect(socket);
    client.on('error', () => {});
    client.resume();
    client.end(bytes);
    await once(client, 'close');
  };
  for (let done = 0; done < REQUESTS; done += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => one(spoiled(random)));
    await within('the end of every connection', Promise.all(batch));
  }
  const grown = daemon.rssBytes() - before;
  t.ok(grown < 64 * MEGABYTE, `${Math.round(grown / MEGABYTE)} MB more`);

  // Silent, slow and endless ones hold the places, and a command asks all the same.
  const held: Socket[] = [];
  t.teardown(() => {
    for (const client of held) client.destroy();
  });
  for (let i = 0; i < AT_ONCE; i++) {
    const client = connect(socket);
    client.on('error', () => {});
    if (i % 3 === 1)
      client.write('POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{');
    if (i % 3 === 2) client.write(Buffer.alloc(256 * 1024, 'a'));
    held.push(client);
  }
  t.equal((await askControl(socket, 'GET', '/v1/status')).status, 200);
  t.match((await askControl(socket, 'GET', '/v1/overrides')).body, { items: [] });
  t.equal(daemon.eventsNamed('override-set').length, 0);
  t.equal(daemon.eventsNamed('reloading').length, 0);
  for (const client of held) client.destroy();

  // As many commands as a script starts at once.
  const looks = Array.from({ length: 2 * AT_ONCE }, () => askControl(socket, 'GET', '/v1/status'));
  const statuses = (await within('every answer', Promise.all(looks))).map(({ status }) => status);
  t.same([...new Set(statuses)], [200]);
});
