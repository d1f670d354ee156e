/**
 * The one way out of a probe: what a server said is marked where it is quoted, and only here is it
 * rid of secrets, made printable and cut, in this order.
 */
import { unquoteEach } from '../../secrets/quote.js';
import type { Redactor } from '../../secrets/redactor.js';
import type { ProbeResult } from '../probe.js';

/** `result` as it may be shown. */
export function published(result: ProbeResult, redactor: Redactor): ProbeResult {
  if (result.ok && result.note === '' && result.warning === undefined) return result;
  const fit = (text: string): string => unquoteEach(text, (quoted) => redactor.hide(quoted));
  if (!result.ok) return { ...result, detail: fit(result.detail) };
  const { warning } = result;
  const note = fit(result.note);
  return { ...result, note, ...(warning === undefined ? {} : { warning: fit(warning) }) };
}
