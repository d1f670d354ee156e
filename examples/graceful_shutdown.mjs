// SIGTERM: not ready at first, while requests are still served; then the server, and what it needs.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createBalancer, createHealth } from 'sluice';

const service = createServer((_, response) => response.end('user')).listen(0, '127.0.0.1');
await once(service, 'listening');
const users = await createBalancer({ backends: [`127.0.0.1:${service.address().port}`] });
const health = await createHealth({
  checks: { users: () => users.snapshot().serves === 'first' },
  drainDelay: '200ms',
});
const server = createServer((request, response) => {
  if (!health.handle(request, response)) response.end('hello');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const ready = async () => (await fetch(`http://127.0.0.1:${server.address().port}/ready`)).status;

process.once('SIGTERM', async () => {
  const drained = health.drain({
    stop: () => new Promise((resolve) => server.close(resolve).closeIdleConnections()),
    close: () => users.close(),
  });
  console.log(`draining: ready says ${await ready()}`);
  await drained;
  service.close();
  service.closeAllConnections();
  console.log('gone');
});

console.log(`serving: ready says ${await ready()}`);
process.kill(process.pid, 'SIGTERM');
