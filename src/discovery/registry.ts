/** The sources by their kind. */
import type { SourceSpec } from '../core/discovery_spec.js';
import type { Source, SourceDeps } from './source.js';
import { consulSource } from './sources/consul.js';
import { dnsSource } from './sources/dns.js';
import { etcdSource } from './sources/etcd.js';
import { fileSource } from './sources/file.js';
import { httpSource } from './sources/http.js';
import { kubernetesSource } from './sources/kubernetes.js';
import { patroniSource } from './sources/patroni.js';
import { sentinelSource } from './sources/sentinel.js';

export function createSource(spec: SourceSpec, deps: SourceDeps): Source {
  switch (spec.kind) {
    case 'dns':
      return dnsSource(spec, deps);
    case 'file':
      return fileSource(spec, deps);
    case 'http':
      return httpSource(spec, deps);
    case 'etcd':
      return etcdSource(spec, deps);
    case 'consul':
      return consulSource(spec, deps);
    case 'kubernetes':
      return kubernetesSource(spec, deps);
    case 'sentinel':
      return sentinelSource(spec, deps);
    case 'patroni':
      return patroniSource(spec, deps);
  }
}
