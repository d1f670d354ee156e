/** When a server is left out after failures, as the ejections of a pool. */
import { fittedDuration, fittedNumber, together, wholeNumber } from '../bounds.js';
import type { Part } from '../statement.js';
import type { NginxScene } from './scene.js';
import { nginxMs } from './times.js';

const FAIL_MS = 10_000;

/** nginx leaves a server out for `fail_timeout` after `max_fails` failures within that time. */
export function writeFailures(
  { draft }: NginxScene,
  path: readonly string[],
  servers: readonly { readonly options: ReadonlyMap<string, Part> }[],
): void {
  const fails = servers.flatMap(({ options }) => options.get('max_fails') ?? []);
  const times = servers.flatMap(({ options }) => options.get('fail_timeout') ?? []);
  const wanted = wholeNumber(settingOf(fails[0]) ?? '1') ?? 1;
  if (servers.length < 2 || wanted === 0) {
    for (const part of [...fails, ...times])
      part.idle('no server is passed over because of failures');
    return;
  }
  const table = draft.table([...path, 'outlier']);
  const differs = [fails, times].some((parts) =>
    parts.some((part) => part.text() !== parts[0]?.text()),
  );
  const how = differs ? 'it is the same for the whole pool' : undefined;
  const { value } = fittedNumber('consecutive_failures', wanted);
  table.put('consecutive_failures', value, "nginx' default");
  if (fails.length > 0) table.take('consecutive_failures', value, fails, how);
  const ms = nginxMs(settingOf(times[0]) ?? '') ?? FAIL_MS;
  const interval = fittedDuration('outlier_interval', ms);
  const ejection = fittedDuration('base_ejection', ms);
  table.put('interval', interval.value, "nginx' default");
  if (times.length > 0) table.take('interval', interval.value, times, together(how, interval.how));
  table.put('base_ejection', ejection.value, 'as fail_timeout');
  table.put('max_ejection', ejection.value, 'as fail_timeout');
  table.put('max_ejected_percent', 100, 'all but the last one');
}

/** `3` of `weight=3`. */
export function settingOf(part: Part | undefined): string | undefined {
  return part?.value(0).split('=')[1];
}
