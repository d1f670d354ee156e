/** The raw samples as a file: JSON, one sample a line, so that a difference can be read. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from './sample.js';

const NAME = 'samples.json';

export function writeSamples(folder: string, results: Results): void {
  const { samples, growth = [], ...rest } = results;
  const head = JSON.stringify(rest, null, 2).replace(/\n}$/, '');
  const parts = [head, listOf('samples', samples)];
  if (growth.length > 0) parts.push(listOf('growth', growth));
  writeFileSync(join(folder, NAME), `${parts.join(',\n')}\n}\n`);
}

function listOf(name: string, samples: readonly unknown[]): string {
  const lines = samples.map((sample) => `    ${JSON.stringify(sample)}`);
  return `  "${name}": [\n${lines.join(',\n')}\n  ]`;
}

export function readSamples(folder: string): Results {
  return JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as Results;
}
