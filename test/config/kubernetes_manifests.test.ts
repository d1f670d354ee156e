/** conf/kubernetes: what its manifests promise each other, and its file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { kubernetesSource } from '../../src/discovery/sources/kubernetes.js';
import { asked, DEPS } from '../discovery/sources/asked.js';
import { tempFolder } from '../support/places.js';
import { repositoryRoot } from '../support/repository.js';
import { FakeKubernetes, kubeconfigOf, ready, slice } from '../support/servers/fake_kubernetes.js';
import { wrongServer } from '../support/servers/wrong_http.js';
import { problemsOf } from './kubernetes_schema.js';

const read = (name: string): string =>
  readFileSync(join(repositoryRoot, 'conf/kubernetes', name), 'utf8');

function manifests(name: string): readonly unknown[] {
  return parseAllDocuments(read(name)).map((document): unknown => document.toJS());
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [
          {
            readonly lifecycle: {
              readonly preStop: { readonly sleep: { readonly seconds: number } };
            };
          },
        ];
      };
    };
  };
}

t.test('sessions may end before a pod is killed', async (t) => {
  const loaded = loadConfig(read('sluice.toml'), 'sluice.toml');
  const shutdownMs = loaded.ok ? loaded.value.spec.daemon.shutdownTimeoutMs : Number.NaN;
  const [deployment] = manifests('deployment.yaml') as readonly Deployment[];
  const { terminationGracePeriodSeconds = 0, containers } = deployment?.spec.template.spec ?? {};
  const waitMs = 1_000 * (containers?.[0].lifecycle.preStop.sleep.seconds ?? 0);
  t.ok(waitMs > 0);
  t.ok(1_000 * terminationGracePeriodSeconds > waitMs + shutdownMs);
});

t.test('probes ask what they are for', async (t) => {
  const healthz = { httpGet: { path: '/healthz', port: 'admin' } };
  t.match(manifests('deployment.yaml'), [
    {
      spec: {
        template: {
          spec: {
            serviceAccountName: 'sluice',
            containers: [
              {
                startupProbe: healthz,
                livenessProbe: healthz,
                readinessProbe: { httpGet: { path: '/ready', port: 'admin' } },
              },
            ],
          },
        },
      },
    },
  ]);
});

t.test('the service that is followed is headless, and has the port of the file', async (t) => {
  const loaded = loadConfig(read('sluice.toml'), 'sluice.toml');
  const source = { kind: 'kubernetes', namespace: 'sluice', service: 'pg', port: 'postgres' };
  t.match(loaded.ok && loaded.value.spec.pools[0]?.discovery, [{ source }]);
  t.match(manifests('service.yaml')[1], {
    metadata: { name: source.service },
    spec: { clusterIP: 'None', ports: [{ name: source.port }] },
  });
});

const FILES = ['namespace.yaml', 'rbac.yaml', 'deployment.yaml', 'service.yaml'];

t.test('each object has the fields that the API reference gives it', async (t) => {
  const objects = FILES.flatMap(manifests);
  t.equal(objects.length, 8);
  t.same(objects.flatMap(problemsOf), []);
  const broken = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {},
    spec: { port: [], ports: [{}] },
  };
  t.same(problemsOf(broken), [
    'Service.metadata needs name',
    'Service.spec has no field port',
    'Service.spec.ports[0] needs port',
  ]);
});

t.test('what a manifest names is there', async (t) => {
  const [kustomization] = manifests('kustomization.yaml');
  t.match(kustomization, { resources: FILES, configMapGenerator: [{ files: ['sluice.toml'] }] });
  const labels = { app: 'sluice' };
  const account = { kind: 'ServiceAccount', metadata: { name: 'sluice' } };
  const role = { kind: 'Role', metadata: { name: 'sluice-reads-endpoints' } };
  t.match(manifests('rbac.yaml'), [
    account,
    role,
    {
      roleRef: { kind: role.kind, name: role.metadata.name },
      subjects: [{ kind: account.kind, name: account.metadata.name, namespace: 'sluice' }],
    },
  ]);
  t.match(manifests('deployment.yaml'), [
    {
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: account.metadata.name,
            containers: [
              {
                ports: [{ name: 'postgres' }, { name: 'admin' }],
                volumeMounts: [{ name: 'config' }, { name: 'state' }],
              },
            ],
            volumes: [{ name: 'config', configMap: { name: 'sluice-config' } }, { name: 'state' }],
          },
        },
      },
    },
  ]);
  t.match(manifests('service.yaml'), [
    { spec: { selector: labels, ports: [{ targetPort: 'postgres' }] } },
    {},
    { kind: 'PodDisruptionBudget', spec: { selector: { matchLabels: labels } } },
  ]);
});

t.test('the pod keeps what its namespace demands of it', async (t) => {
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  t.match(manifests('namespace.yaml'), [{ metadata: { labels: restricted } }]);
  // "Pod Security Standards", Restricted.
  t.match(manifests('deployment.yaml'), [
    {
      spec: {
        template: {
          spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'] },
                },
              },
            ],
          },
        },
      },
    },
  ]);
});

t.test('the role allows what the source asks, and nothing else', async (t) => {
  const server = await wrongServer(t);
  const api = new FakeKubernetes(DEPS.timers);
  const verbs = new Set<string>();
  const paths = new Set<string>();
  server.serves((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', server.origin);
    paths.add(pathname);
    // "Authorization overview", request verbs: GET of a collection.
    const verb = searchParams.get('watch') === '1' ? 'watch' : 'list';
    verbs.add(request.method === 'GET' ? verb : (request.method ?? ''));
    api.handle(request, response);
  });
  const kubeconfig = join(tempFolder(t), 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(server.origin, 'token: x'));
  const where = { namespace: 'sluice', service: 'pg', port: 'postgres', zone: null };
  const ask = asked(kubernetesSource({ kind: 'kubernetes', ...where, kubeconfig }, DEPS));
  await ask();
  api.put(slice('pg-1', [ready('10.0.0.1')], 5_432));
  t.match(await ask(), { members: [{ address: { host: '10.0.0.1' } }] });
  const [, role] = manifests('rbac.yaml') as readonly { readonly rules: readonly Rule[] }[];
  const [rule] = role?.rules ?? [];
  t.same([...verbs].sort(), rule?.verbs);
  const { apiGroups = [], resources = [] } = rule ?? {};
  t.same([...paths], [`/apis/${apiGroups}/v1/namespaces/sluice/${resources}`]);
  t.equal(role?.rules.length, 1);
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
