/** The samples of a run, one a line, so that a difference can be read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from './samples.js';

const NAME = 'library.json';

export function writeSamples(folder: string, { samples, outages, ...rest }: Results): void {
  const head = JSON.stringify(rest, null, 2).replace(/\n}$/, '');
  const parts = [head, list('samples', samples), list('outages', outages)];
  writeFileSync(join(folder, NAME), `${parts.join(',\n')}\n}\n`);
}

export function readSamples(folder: string): Results {
  return JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as Results;
}

function list(name: string, all: readonly object[]): string {
  const lines = all.map((one) => `    ${JSON.stringify(one)}`);
  return `  "${name}": [\n${lines.join(',\n')}\n  ]`;
}
