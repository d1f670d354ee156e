// An API in front of three users services: one of them dies, and no request notices.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createBalancer } from 'sluice';

const services = [1, 2, 3].map((number) =>
  createServer((_, response) => response.end(`user from service ${number}`)).listen(0, '127.0.0.1'),
);
await Promise.all(services.map((service) => once(service, 'listening')));

const users = await createBalancer({
  name: 'users',
  backends: services.map((service) => `127.0.0.1:${service.address().port}`),
  health: { interval: '500ms' },
  outlier: { consecutiveFailures: 3 },
});
users.on('backend-down', ({ backend, detail }) => console.log(`${backend} is down: ${detail}`));

const api = createServer(async (_, response) => {
  try {
    const user = await users.execute(
      async ({ address }, { signal }) => (await fetch(`http://${address}/`, { signal })).text(),
      { timeout: '2s', retryIf: () => true },
    );
    response.end(user);
  } catch (error) {
    response.writeHead(503).end(error.message);
  }
}).listen(0, '127.0.0.1');
await once(api, 'listening');

const counts = { ok: 0, failed: 0 };
const ask = async () => {
  const response = await fetch(`http://127.0.0.1:${api.address().port}/`);
  await response.text();
  counts[response.ok ? 'ok' : 'failed']++;
};
for (let request = 0; request < 30; request++) await ask();
services[0].close();
services[0].closeAllConnections();
for (let request = 0; request < 30; request++) await ask();
console.log(`${counts.ok} requests served, ${counts.failed} failed`);

await users.close();
for (const server of [api, ...services]) {
  server.close();
  server.closeAllConnections();
}
