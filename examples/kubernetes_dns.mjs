// A headless service of Kubernetes: DNS names every pod, and the set follows it.
// SERVICE=users.default.svc.cluster.local PORT=8080 node examples/kubernetes_dns.mjs
import { createBalancer } from 'sluice';

const { SERVICE = 'users.default.svc.cluster.local', PORT = '8080', DNS_SERVER } = process.env;
const pods = await createBalancer({
  name: 'pods',
  discovery: {
    kind: 'dns',
    name: SERVICE,
    port: Number(PORT),
    minRefresh: '1s',
    hold: '10s',
    ...(DNS_SERVER === undefined ? {} : { servers: [DNS_SERVER] }),
  },
  health: { probe: 'none' },
});
for (const { address, state } of pods.snapshot().backends) console.log(address, state);
await pods.close();
