/** Files of conf/observability as tests read them: expressions, and what is said of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository.js';

export const OBSERVABILITY = join(repositoryRoot, 'conf', 'observability');

export interface Rule {
  readonly kind: 'record' | 'alert';
  readonly name: string;
  readonly expr: string;
  /** All of it, labels and annotations included. */
  readonly text: string;
}

export interface Panel {
  readonly title: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

export function readFile(name: string): string {
  return readFileSync(join(OBSERVABILITY, name), 'utf8');
}

/** Each begins with `- record:` or `- alert:`; an expression is one line, or a block below `|`. */
export function rulesOf(name: string): readonly Rule[] {
  const [, ...parts] = readFile(name).split(/^ +- (?=(?:record|alert): )/m);
  return parts.map((text) => {
    const [, kind, its = ''] = /^(record|alert): (\S+)$/m.exec(text) ?? [];
    const [, line = '', block = ''] = /^ +expr: (.*)\n((?: {10,}.*\n)*)/m.exec(text) ?? [];
    const expr = line === '|' ? block : line;
    return { kind: kind === 'record' ? 'record' : 'alert', name: its, expr, text };
  });
}

export function dashboard(): Readonly<{
  panels: readonly (Omit<Panel, 'targets'> & Partial<Panel>)[];
  templating: { readonly list: readonly { readonly definition?: string }[] };
  annotations: { readonly list: readonly { readonly expr: string }[] };
}> {
  return JSON.parse(readFile('sluice-dashboard.json'));
}
