// A registry of the application: an EventEmitter that says when its instances have changed.
import { EventEmitter, once } from 'node:events';
import { createBalancer } from 'sluice';

class Registry extends EventEmitter {
  #instances = new Map();

  register(name, ...addresses) {
    this.#instances.set(name, addresses);
    this.emit('instances-changed', name);
  }

  async getInstances(name) {
    return this.#instances.get(name) ?? [];
  }
}

const registry = new Registry();
registry.register('orders', '127.0.0.1:7001', '127.0.0.1:7002');
const orders = await createBalancer({
  name: 'orders',
  discovery: registry,
  health: { probe: 'none' },
});
console.log(
  orders
    .snapshot()
    .backends.map(({ name }) => name)
    .join(' '),
);

// The application keeps the process alive while it waits for an event: the balancer does not.
const hold = setInterval(() => {}, 1_000);
registry.register('orders', '127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003');
const [added] = await once(orders, 'backend-added');
console.log(`${added.backend} joined`);
clearInterval(hold);
await orders.close();
