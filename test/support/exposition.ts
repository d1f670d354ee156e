/**
 * Reads the Prometheus text format, so that tests can ask for a sample or for a sum over labels.
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export type Labels = Readonly<Record<string, string>>;

export class Exposition {
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.samples = text.split('\n').flatMap(parseLine);
  }

  /** Samples of `name` whose labels include `labels`. */
  select(name: string, labels: Labels = {}): readonly Sample[] {
    const wanted = Object.entries(labels);
    return this.samples.filter(
      (sample) =>
        sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
    );
  }

  /** Their sum; 0 when there is none. */
  sum(name: string, labels: Labels = {}): number {
    return this.select(name, labels).reduce((sum, sample) => sum + sample.value, 0);
  }
}

function parseLine(line: string): Sample[] {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
  if (match === null) return [];
  const [, name = '', labelText = '', value = ''] = match;
  const labels: Record<string, string> = {};
  for (const [, label = '', quoted = ''] of labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[label] = quoted.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  return [{ name, labels, value: Number(value.replace('Inf', 'Infinity')) }];
}
