/** The environment block of a report, and how quiet the machine was. */
import { median } from '../support/statistics.js';
import { PROXY_CORE } from './cores.js';
import type { Results, Sample } from './sample.js';

export function describeEnvironment(results: Results): string {
  const { environment: e } = results;
  const names = (record: Readonly<Record<string, string>>): string =>
    Object.entries(record)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const pace = results.pace === 'full' ? '' : ' Short spans (`--quick`): for a first look only.';
  const lines = [
    `${e.date} UTC, ${e.cores} × ${e.cpu}, ${e.memoryGiB} GiB, Linux ${e.kernel}`,
    names(e.versions),
    names(e.sysctl),
    `${quietness(results.samples)}Load average before: ${e.loadAverage.toFixed(2)}.${pace}`,
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => `- ${line}`)
    .join('\n');
}

/** What else ran on the proxy's core, and what the hypervisor took. */
function quietness(samples: readonly Sample[]): string {
  const foreign = samples.flatMap(({ measured }) => {
    if (measured === null || measured.proxyCpuSeconds === null) return [];
    const busy = measured.busy[PROXY_CORE] ?? 0;
    return [Math.max(0, busy - measured.proxyCpuSeconds / measured.seconds)];
  });
  const stolen = samples.map(({ measured }) => measured?.stolen[PROXY_CORE] ?? 0);
  if (foreign.length === 0) return '';
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return (
    `Others had ${percent(median(foreign))} of the proxy's core (at most ` +
    `${percent(Math.max(...foreign))}), the hypervisor at most ${percent(Math.max(...stolen))}. `
  );
}
