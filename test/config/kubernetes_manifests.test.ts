/** conf/kubernetes: what its manifests promise each other, and its file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { repositoryRoot } from '../support/repository.js';

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

t.test('probes ask what they are for, and the role allows what the source asks', async (t) => {
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
  const rules = [
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ];
  t.strictSame((manifests('rbac.yaml')[1] as { readonly rules: unknown }).rules, rules);
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
