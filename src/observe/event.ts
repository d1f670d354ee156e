/** The shape of an entry in the catalogue of log events. */
import type { LogSpec } from '../core/spec.js';
import type { FieldName } from './fields.js';

export interface EventDefinition {
  readonly level: LogSpec['level'];
  /** One sentence; it never varies. What varies stands in the fields. */
  readonly message: string;
  readonly fields: readonly FieldName[];
  /** What the operator can do; '' where nothing needs doing. */
  readonly remedy: string;
  /**
   * `limited`: traffic or time can repeat it without end, so the number of its lines is limited.
   */
  readonly pace: 'free' | 'limited';
}

type Levels = Readonly<
  Record<
    LogSpec['level'],
    <const F extends readonly FieldName[]>(
      message: string,
      fields: F,
      remedy?: string,
    ) => EventDefinition & { readonly fields: F }
  >
>;

function at(level: LogSpec['level']): Levels['info'] {
  return (message, fields, remedy = '') => ({ level, message, fields, remedy, pace: 'free' });
}

/** `warn('Sentence.', ['listener'], 'Remedy.')`: one maker a level. */
export const LEVELS: Levels = {
  trace: at('trace'),
  debug: at('debug'),
  info: at('info'),
  warn: at('warn'),
  error: at('error'),
};

export function limited<D extends EventDefinition>(definition: D): D {
  return { ...definition, pace: 'limited' };
}
