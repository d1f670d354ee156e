/**
 * The page of /metrics, made in stretches between which everything else has its turn: one of ten
 * thousand backends takes most of a second in all.
 */
import type { MetricDefinition } from './metric_definition.js';
import type { Sample } from './sample.js';

/** A metric with its samples, some at a time. */
export interface Family {
  readonly definition: Pick<MetricDefinition, 'name' | 'help' | 'type'>;
  readonly samples: Iterable<readonly Sample[]>;
}

/** Formats samples of one metric, behind the lines with its help and type. */
export type Format = (values: readonly Sample[]) => Promise<string>;

/** In the text format; `pause` comes after each stretch. */
export async function pageOf(
  families: Iterable<Family>,
  formatOf: (definition: Family['definition']) => Format,
  pause: () => Promise<void>,
): Promise<string> {
  const texts: string[] = [];
  for (const { definition, samples } of families) {
    const format = formatOf(definition);
    const lines = [await format([])];
    for (const values of samples) {
      if (values.length > 0) lines.push(bodyOf(await format(values)));
      await pause();
    }
    texts.push(lines.join('\n'));
  }
  return `${texts.join('\n\n')}\n`;
}

/** Without its first two lines, the help and type. */
function bodyOf(text: string): string {
  return text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);
}
