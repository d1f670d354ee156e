/**
 * What Kubernetes' API reference (v1.32) says of the objects in conf/kubernetes: which fields
 * there are, of which kind, and which must be there. Only of those that the manifests have: another
 * one is looked up there, and written down here.
 */

type Shape =
  | 'text'
  | 'whole'
  | 'flag'
  /** The name or the number of one. */
  | 'port'
  | { readonly oneOf: readonly string[] }
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly needs: Fields; readonly may: Fields };

type Fields = Readonly<Record<string, Shape>>;

const object = (needs: Fields, may: Fields = {}): Shape => ({ needs, may });
const list = (of: Shape): Shape => ({ list: of });
const TEXTS: Shape = { map: 'text' };

const META = object({ name: 'text' }, { namespace: 'text', labels: TEXTS });
const SELECTOR = object({}, { matchLabels: TEXTS });

const PROBE = object(
  {},
  {
    httpGet: object({ port: 'port' }, { path: 'text' }),
    periodSeconds: 'whole',
    timeoutSeconds: 'whole',
    failureThreshold: 'whole',
  },
);

const SECCOMP = object({ type: { oneOf: ['RuntimeDefault', 'Unconfined', 'Localhost'] } });

const CONTAINER = object(
  { name: 'text' },
  {
    image: 'text',
    args: list('text'),
    ports: list(object({ containerPort: 'whole' }, { name: 'text' })),
    startupProbe: PROBE,
    livenessProbe: PROBE,
    readinessProbe: PROBE,
    lifecycle: object({}, { preStop: object({}, { sleep: object({ seconds: 'whole' }) }) }),
    resources: object({}, { requests: TEXTS, limits: TEXTS }),
    securityContext: object(
      {},
      {
        allowPrivilegeEscalation: 'flag',
        readOnlyRootFilesystem: 'flag',
        capabilities: object({}, { drop: list('text') }),
      },
    ),
    volumeMounts: list(object({ name: 'text', mountPath: 'text' }, { readOnly: 'flag' })),
  },
);

const POD = object(
  { containers: list(CONTAINER) },
  {
    serviceAccountName: 'text',
    terminationGracePeriodSeconds: 'whole',
    securityContext: object(
      {},
      {
        runAsNonRoot: 'flag',
        runAsUser: 'whole',
        runAsGroup: 'whole',
        fsGroup: 'whole',
        seccompProfile: SECCOMP,
      },
    ),
    topologySpreadConstraints: list(
      object(
        {
          maxSkew: 'whole',
          topologyKey: 'text',
          whenUnsatisfiable: { oneOf: ['DoNotSchedule', 'ScheduleAnyway'] },
        },
        { labelSelector: SELECTOR },
      ),
    ),
    volumes: list(
      object({ name: 'text' }, { configMap: object({}, { name: 'text' }), emptyDir: object({}) }),
    ),
  },
);

const DEPLOYMENT = object(
  { selector: SELECTOR, template: object({ metadata: object({}, { labels: TEXTS }), spec: POD }) },
  {
    replicas: 'whole',
    strategy: object(
      {},
      { rollingUpdate: object({}, { maxUnavailable: 'port', maxSurge: 'port' }) },
    ),
  },
);

const KINDS: Readonly<Record<string, Fields>> = {
  'v1 Namespace': {},
  'v1 ServiceAccount': {},
  'rbac.authorization.k8s.io/v1 Role': {
    rules: list(
      object(
        { verbs: list('text') },
        { apiGroups: list('text'), resources: list('text'), resourceNames: list('text') },
      ),
    ),
  },
  'rbac.authorization.k8s.io/v1 RoleBinding': {
    roleRef: object({ apiGroup: 'text', kind: 'text', name: 'text' }),
    // The namespace must be there for a ServiceAccount.
    subjects: list(object({ kind: 'text', name: 'text', namespace: 'text' })),
  },
  'apps/v1 Deployment': { spec: DEPLOYMENT },
  'v1 Service': {
    spec: object(
      { ports: list(object({ port: 'whole' }, { name: 'text', targetPort: 'port' })) },
      { clusterIP: 'text', selector: TEXTS },
    ),
  },
  'policy/v1 PodDisruptionBudget': {
    spec: object({}, { minAvailable: 'port', selector: SELECTOR }),
  },
};

/** What is wrong with one object, each with its place; none: nothing. */
export function problemsOf(value: unknown): readonly string[] {
  const { apiVersion, kind }: Readonly<Record<string, unknown>> = isRecord(value) ? value : {};
  const own = KINDS[`${String(apiVersion)} ${String(kind)}`];
  if (own === undefined) return [`${String(apiVersion)} ${String(kind)} is not written down`];
  const shape = object({ apiVersion: 'text', kind: 'text', metadata: META, ...own });
  return misfits(value, shape, String(kind));
}

function misfits(value: unknown, shape: Shape, at: string): readonly string[] {
  if (typeof shape === 'string') return fits(value, shape) ? [] : [`${at} is no ${shape}`];
  if ('oneOf' in shape) {
    return shape.oneOf.includes(String(value)) ? [] : [`${at} is none of ${shape.oneOf}`];
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((one, index) => misfits(one, shape.list, `${at}[${index}]`));
  }
  if (!isRecord(value)) return [`${at} is no object`];
  if ('map' in shape) {
    return Object.entries(value).flatMap(([key, one]) => misfits(one, shape.map, `${at}.${key}`));
  }
  const known: Fields = { ...shape.may, ...shape.needs };
  const missing = Object.keys(shape.needs).filter((key) => !Object.hasOwn(value, key));
  return [
    ...missing.map((key) => `${at} needs ${key}`),
    ...Object.entries(value).flatMap(([key, one]) => {
      const of = Object.hasOwn(known, key) ? known[key] : undefined;
      return of === undefined ? [`${at} has no field ${key}`] : misfits(one, of, `${at}.${key}`);
    }),
  ];
}

function fits(value: unknown, shape: 'text' | 'whole' | 'flag' | 'port'): boolean {
  if (shape === 'flag') return typeof value === 'boolean';
  if (shape === 'text') return typeof value === 'string';
  return Number.isSafeInteger(value) || (shape === 'port' && typeof value === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
