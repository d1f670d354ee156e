/** The configurations that the tests of the importer translate. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Capabilities } from '../../src/import/capabilities.js';
import { importHaproxy } from '../../src/import/haproxy/import.js';
import { importNginx } from '../../src/import/nginx/import.js';
import type { ImportResult } from '../../src/import/source.js';
import { repositoryRoot } from '../support/repository.js';

export interface Fixture {
  readonly kind: 'haproxy' | 'nginx';
  readonly name: string;
  readonly text: string;
}

const ENVIRONMENT: ReadonlyMap<string, string> = new Map([['HOME', '/root']]);

const named = (kind: Fixture['kind'], ending: string): readonly Fixture[] => {
  const folder = join(repositoryRoot, 'test/import', kind);
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({ kind, name, text: readFileSync(join(folder, name), 'utf8') }));
};

export const FIXTURES: readonly Fixture[] = [
  ...named('haproxy', '.cfg'),
  ...named('nginx', '.conf'),
];

export async function importFixture(
  { kind, name, text }: Fixture,
  has: Capabilities,
): Promise<ImportResult> {
  const source = { file: name, text };
  if (kind === 'nginx') return importNginx(source, new Map(), has);
  return importHaproxy([source], ENVIRONMENT, has);
}
