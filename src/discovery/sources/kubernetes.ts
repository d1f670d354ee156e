/**
 * kubernetes: the EndpointSlices of a Service, listed once and then watched (Kubernetes'
 * documentation, "Kubernetes API Concepts"). A watch is bounded by the server and by us: one
 * that has fallen silent costs half a minute. What cannot be followed is listed anew, less and less
 * often.
 */
import type { KubernetesSourceSpec } from '../../core/discovery_spec.js';
import { isRecord } from '../../core/unknown.js';
import { shown } from '../answers.js';
import { mergeSlices, readSlice, type Slice } from '../endpoint_slices.js';
import { askHttp } from '../http_client.js';
import { followStream, type StreamEnd } from '../http_stream.js';
import { type Cluster, clusterOf, ownCluster, type Pod, THIS_POD } from '../kubeconfig.js';
import { Misses, whyMissed } from '../misses.js';
import {
  type GiveUp,
  membersFound,
  type SecretDeps,
  type Source,
  type SourceAnswer,
  type SourceFailed,
  sourceFailed,
} from '../source.js';

/** The server ends a watch after this, and we do a little later. */
const WATCH_S = 30;
const WATCH_LIMIT_MS = (WATCH_S + 5) * 1_000;
/** After a watch that was lost, and between two lists of slices whose watch fails; doubled. */
const FIRST_WAIT_MS = 1_000;
const SERVICE_LABEL = 'kubernetes.io/service-name';

export function kubernetesSource(
  spec: KubernetesSourceSpec,
  deps: SecretDeps,
  pod: Pod = THIS_POD,
): Source {
  return new KubernetesSource(spec, deps, pod);
}

class KubernetesSource implements Source {
  readonly #spec: KubernetesSourceSpec;
  readonly #deps: SecretDeps;
  readonly #pod: Pod;
  readonly #slices = new Map<string, Slice>();
  /** Where a watch begins; null: the slices are listed first. It is opaque, and never compared. */
  #version: string | null = null;
  readonly #misses: Misses;

  constructor(spec: KubernetesSourceSpec, deps: SecretDeps, pod: Pod) {
    this.#spec = spec;
    this.#deps = deps;
    this.#pod = pod;
    this.#misses = new Misses(deps.random, FIRST_WAIT_MS);
  }

  #urlOf(cluster: Cluster, more: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams({
      labelSelector: `${SERVICE_LABEL}=${this.#spec.service}`,
      ...more,
    });
    const namespace = encodeURIComponent(this.#spec.namespace);
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    return `${cluster.url}${path}?${query}`;
  }

  #answerNow(): SourceAnswer {
    const { members, leftOut } = mergeSlices(this.#slices.values(), this.#spec);
    return membersFound(members, 0, leftOut, this.#misses.remarks);
  }

  /** Without a version: the newest list, and not what a server remembers from before a restart. */
  async #list(cluster: Cluster, giveUp: GiveUp): Promise<SourceAnswer> {
    this.#version = null;
    const question = { url: this.#urlOf(cluster, {}), ...cluster.access };
    const answer = await askHttp(question, this.#deps.timers, giveUp);
    if (answer.kind === 'failed') return answer;
    const { host } = new URL(cluster.url);
    if (answer.status !== 200) return refusal(host, answer.status, answer.body);
    const read = readList(answer.body);
    if (typeof read === 'string') return sourceFailed('malformed', `${host} ${read}`);
    this.#slices.clear();
    for (const slice of read.slices) this.#slices.set(slice.name, slice);
    this.#version = read.version;
    return this.#answerNow();
  }

  #take(line: unknown): 'news' | 'nothing' | 'unusable' {
    const event = readEvent(line);
    if (event === null) return 'unusable';
    this.#version = event.version;
    if (event.kind === 'bookmark') return 'nothing';
    if (event.kind === 'gone') this.#slices.delete(event.name);
    else this.#slices.set(event.slice.name, event.slice);
    return 'news';
  }

  /** A watch did its work. */
  #followed(): SourceAnswer {
    const isNews = this.#misses.remarks.length > 0;
    this.#misses.none();
    return isNews ? this.#answerNow() : { kind: 'unchanged', againMs: 0 };
  }

  /** Goes on from the same place once: one connection may be lost, and all are no accident. */
  #broke(end: StreamEnd, lastedMs: number): SourceAnswer {
    this.#misses.miss(whyMissed(end), lastedMs);
    if (this.#misses.count > 1) this.#version = null;
    return { kind: 'unchanged', againMs: this.#misses.waitMs() };
  }

  /** There is no going on from there: 410 Gone above all, the changes since then are forgotten. */
  #strayed(
    end: StreamEnd | SourceFailed,
    lastedMs: number,
    cluster: Cluster,
    giveUp: GiveUp,
  ): Promise<SourceAnswer> | SourceAnswer {
    this.#misses.miss(whyMissed(end), lastedMs);
    this.#version = null;
    if (this.#misses.count === 1) return this.#list(cluster, giveUp);
    return { kind: 'unchanged', againMs: this.#misses.waitMs(1) };
  }

  async #watch(cluster: Cluster, from: string, giveUp: GiveUp): Promise<SourceAnswer> {
    const url = this.#urlOf(cluster, {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(WATCH_S),
    });
    const stream = {
      question: { url, ...cluster.access },
      limitMs: WATCH_LIMIT_MS,
      take: (line: unknown) => this.#take(line),
    };
    const { clock, timers } = this.#deps;
    const beganMs = clock.nowMs();
    const end = await followStream(stream, timers, giveUp);
    const lastedMs = clock.nowMs() - beganMs;
    switch (end.kind) {
      case 'failed':
        // It may go on from there later; only what is too much cannot.
        return end.failure === 'too-much' ? this.#strayed(end, lastedMs, cluster, giveUp) : end;
      case 'news':
        this.#misses.none();
        return this.#answerNow();
      case 'lost':
        return this.#broke(end, lastedMs);
      case 'quiet':
        // The server should have ended it: whether it is there at all, a list says.
        if (end.by === 'limit') return this.#list(cluster, giveUp);
        return this.#misses.hasLasted(lastedMs) ? this.#followed() : this.#broke(end, lastedMs);
      case 'status':
      case 'unusable':
        return this.#strayed(end, lastedMs, cluster, giveUp);
    }
  }

  async ask(giveUp: GiveUp): Promise<SourceAnswer> {
    const cluster = await reach(this.#spec, this.#pod, this.#deps, giveUp);
    if (cluster.kind === 'failed') return cluster;
    return this.#version === null
      ? this.#list(cluster, giveUp)
      : this.#watch(cluster, this.#version, giveUp);
  }
}

function reach(
  { kubeconfig }: KubernetesSourceSpec,
  pod: Pod,
  deps: SecretDeps,
  giveUp: GiveUp,
): Promise<Cluster | SourceFailed> {
  return kubeconfig === null ? ownCluster(pod, deps, giveUp) : clusterOf(kubeconfig, deps, giveUp);
}

interface List {
  readonly version: string;
  readonly slices: readonly Slice[];
}

/** Or what is wrong, a clause. */
function readList(text: string): List | string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return 'answers what is no JSON';
  }
  // An empty list may be null.
  const items = isRecord(body) ? (body['items'] ?? []) : null;
  const metadata = isRecord(body) ? body['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  if (!Array.isArray(items) || !isRecord(metadata)) return 'answers what is no list';
  if (typeof version !== 'string' || version === '') return 'lists without a resourceVersion';
  if (typeof metadata['continue'] === 'string' && metadata['continue'] !== '') {
    return 'lists a part of the slices only';
  }
  const slices = items.map(readSlice);
  if (slices.includes(null)) return 'lists what is no EndpointSlice';
  return { version, slices: slices.flatMap((slice) => (slice === null ? [] : [slice])) };
}

type Event =
  | { readonly kind: 'bookmark'; readonly version: string }
  | { readonly kind: 'gone'; readonly version: string; readonly name: string }
  | { readonly kind: 'slice'; readonly version: string; readonly slice: Slice };

/** null: an error (its object is a Status, mostly of 410 Gone), or no event. */
function readEvent(line: unknown): Event | null {
  if (!isRecord(line)) return null;
  const { type, object } = line;
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  if (typeof version !== 'string' || version === '' || !isRecord(metadata)) return null;
  if (type === 'BOOKMARK') return { kind: 'bookmark', version };
  if (type === 'DELETED') {
    const { name } = metadata;
    return typeof name === 'string' ? { kind: 'gone', version, name } : null;
  }
  if (type !== 'ADDED' && type !== 'MODIFIED') return null;
  const slice = readSlice(object);
  return slice === null ? null : { kind: 'slice', version, slice };
}

/** `{"kind": "Status", "message": "endpointslices is forbidden: …", "code": 403}` */
function refusal(host: string, status: number, body: string): SourceFailed {
  const message = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1];
  const why = message === undefined ? '' : `: ${shown(message)}`;
  return sourceFailed('refused', `${host} answers ${status}${why}`);
}
