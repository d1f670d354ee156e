/** The sources by their kind, and the one way out of each. */
import type { SourceSpec } from '../core/discovery_spec.js';
import { Redactor } from '../secrets/redactor.js';
import type { SecretDeps, Source, SourceAnswer, SourceDeps } from './source.js';
import { consulSource } from './sources/consul.js';
import { dnsSource } from './sources/dns.js';
import { etcdSource } from './sources/etcd.js';
import { fileSource } from './sources/file.js';
import { httpSource } from './sources/http.js';
import { kubernetesSource } from './sources/kubernetes.js';
import { patroniSource } from './sources/patroni.js';
import { sentinelSource } from './sources/sentinel.js';
import { vettedSource } from './vetted.js';

/**
 * Makes the source for `spec`. Secrets that its server was sent are removed from what it reports.
 */
export function createSource(spec: SourceSpec, deps: SourceDeps): Source {
  const redactor = new Redactor();
  const source = vettedSource(spec.kind, bareSource(spec, { ...deps, redactor }));
  return { ask: async (giveUp) => published(await source.ask(giveUp), redactor) };
}

function published(answer: SourceAnswer, redactor: Redactor): SourceAnswer {
  switch (answer.kind) {
    case 'failed':
      return { ...answer, problem: redactor.hide(answer.problem) };
    case 'members':
      if (answer.leftOut.length + answer.remarks.length === 0) return answer;
      return {
        ...answer,
        leftOut: answer.leftOut.map((clause) => redactor.hide(clause)),
        remarks: answer.remarks.map((clause) => redactor.hide(clause)),
      };
    case 'unchanged':
      return answer;
  }
}

function bareSource(spec: SourceSpec, deps: SecretDeps): Source {
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
