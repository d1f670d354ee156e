/**
 * How to reach the API of a cluster: from inside by the service account of the pod (Kubernetes'
 * documentation, "Accessing the Kubernetes API from a Pod"), from outside by a kubeconfig
 * ("kubeconfig (v1)"). Files are read at each question: tokens are rotated.
 */
import { dirname, resolve } from 'node:path';
import type { Timers } from '../core/clock.js';
import { isRecord } from '../core/unknown.js';
import { inBrackets, shown } from './answers.js';
import type { HttpQuestion } from './http_client.js';
import { readSecrets, readSecretText } from './secret_files.js';
import { type GiveUp, type SecretDeps, type SourceFailed, sourceFailed } from './source.js';

export interface Cluster {
  readonly kind: 'cluster';
  /** Without a slash at its end. */
  readonly url: string;
  readonly access: Pick<HttpQuestion, 'ca' | 'secretHeaders' | 'client'>;
}

/** What a pod finds around it. */
export interface Pod {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const THIS_POD: Pod = {
  folder: '/var/run/secrets/kubernetes.io/serviceaccount',
  env: process.env,
};

export async function ownCluster(
  { folder, env }: Pod,
  deps: SecretDeps,
  giveUp: GiveUp,
): Promise<Cluster | SourceFailed> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === undefined)
    return sourceFailed('refused', 'this is no pod, and there is no kubeconfig');
  const files = { tokenFile: `${folder}/token`, caFile: `${folder}/ca.crt` };
  const secrets = await readSecrets(files, deps, giveUp);
  if (secrets.kind === 'failed') return secrets;
  const { ca, token } = secrets;
  const access = { ca, secretHeaders: bearer(token) };
  return { kind: 'cluster', url: `https://${inBrackets(host)}:${port}`, access };
}

export async function clusterOf(
  path: string,
  deps: SecretDeps,
  giveUp: GiveUp,
): Promise<Cluster | SourceFailed> {
  const { timers } = deps;
  const text = await readSecretText(path, timers, giveUp);
  if (typeof text !== 'string') return text;
  const chosen = await readKubeconfig(text);
  if (typeof chosen === 'string') return sourceFailed('refused', `${path}: ${chosen}`);
  const { cluster, user } = chosen;
  const url = cluster['server'];
  if (typeof url !== 'string' || !/^https?:\/\/[^@\s]+$/.test(url) || !URL.canParse(url)) {
    return sourceFailed('refused', `${path}: its cluster has no server`);
  }
  if (isRecord(user['exec']) || isRecord(user['auth-provider'])) {
    return sourceFailed('refused', `${path}: its user needs a program, and none is run`);
  }
  const part = (table: Table, key: string): Promise<string | null | SourceFailed> =>
    readPart(path, table, key, timers, giveUp);
  const ca = await part(cluster, 'certificate-authority');
  const cert = await part(user, 'client-certificate');
  const key = await part(user, 'client-key');
  const given = user['token'];
  const file = user['tokenFile'];
  const tokenFile =
    typeof given !== 'string' && typeof file === 'string' ? resolve(dirname(path), file) : null;
  const secrets = await readSecrets({ tokenFile, caFile: null }, deps, giveUp);
  for (const one of [ca, cert, key, secrets]) {
    if (one !== null && typeof one !== 'string' && one.kind === 'failed') return one;
  }
  if (secrets.kind === 'failed') return secrets;
  const token = typeof given === 'string' ? given : secrets.token;
  if (token !== null) deps.redactor.learn(token);
  const client =
    typeof cert === 'string' && typeof key === 'string' ? { client: { cert, key } } : {};
  return {
    kind: 'cluster',
    url: url.replace(/\/$/, ''),
    access: {
      ca: typeof ca === 'string' ? ca : null,
      secretHeaders: bearer(token),
      ...client,
    },
  };
}

type Table = Readonly<Record<string, unknown>>;

interface Chosen {
  readonly cluster: Table;
  readonly user: Table;
}

/** The cluster and the user of the current context, or what is wrong. */
async function readKubeconfig(text: string): Promise<Chosen | string> {
  // Few daemons read YAML, and all of them would load it.
  const { parse } = await import('yaml');
  let config: unknown;
  try {
    // Aliases could make a small file a large one.
    config = parse(text, { maxAliasCount: 0, logLevel: 'silent' });
  } catch {
    return 'it is no YAML';
  }
  if (!isRecord(config)) return 'it is no kubeconfig';
  const current = config['current-context'];
  const context = entry(config['contexts'], current, 'context');
  if (context === null) return `it has no context ${shown(String(current))}`;
  const cluster = entry(config['clusters'], context['cluster'], 'cluster');
  if (cluster === null) return `it has no cluster ${shown(String(context['cluster']))}`;
  if (cluster['insecure-skip-tls-verify'] === true) {
    return 'it trusts any server, and sluice does not';
  }
  return { cluster, user: entry(config['users'], context['user'], 'user') ?? {} };
}

/** Lists of `{name: …, cluster: {…}}` */
function entry(list: unknown, name: unknown, key: string): Table | null {
  if (!Array.isArray(list)) return null;
  const found: unknown = list.find((one) => isRecord(one) && one['name'] === name);
  const value = isRecord(found) ? found[key] : undefined;
  return isRecord(value) ? value : null;
}

/** `KEY-data` holds it in base64, `KEY` names a file, beside the kubeconfig unless absolute. */
async function readPart(
  path: string,
  table: Table,
  key: string,
  timers: Timers,
  giveUp: GiveUp,
): Promise<string | null | SourceFailed> {
  const data = table[`${key}-data`];
  if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8');
  const file = table[key];
  if (typeof file !== 'string') return null;
  return readSecretText(resolve(dirname(path), file), timers, giveUp);
}

function bearer(token: string | null): Readonly<Record<string, string>> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}
