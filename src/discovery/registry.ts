/** The sources by their kind. */
import type { SourceSpec } from '../core/discovery_spec.js';
import type { Source, SourceDeps } from './source.js';
import { dnsSource } from './sources/dns.js';
import { fileSource } from './sources/file.js';
import { httpSource } from './sources/http.js';

export function createSource(spec: SourceSpec, deps: SourceDeps): Source {
  switch (spec.kind) {
    case 'dns':
      return dnsSource(spec, deps);
    case 'file':
      return fileSource(spec, deps);
    case 'http':
      return httpSource(spec, deps);
  }
}
