/** A real Prometheus asks a real daemon, by the files of conf/observability. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { OBSERVABILITY } from '../observe/rule_files.js';
import { startDaemon } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { httpGet } from '../support/http_get.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { freePort, tempFolder } from '../support/places.js';
import { Child } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { serviceText } from '../support/settings.js';

interface Alert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Starts it with what users copy, but that asks often, and alerts at once. */
async function startPrometheus(
  t: Test,
  target: string,
): Promise<(path: string) => Promise<unknown>> {
  const folder = tempFolder(t);
  const text = (name: string): string => readFileSync(join(OBSERVABILITY, name), 'utf8');
  copyFileSync(join(OBSERVABILITY, 'sluice-rules.yml'), join(folder, 'sluice-rules.yml'));
  const alerts = text('sluice-alerts.yml').replaceAll(/^(\s*)for: .*$/gm, '$1for: 0s');
  writeFileSync(join(folder, 'sluice-alerts.yml'), alerts);
  const config = text('prometheus.yml')
    .replaceAll('15s', '250ms')
    .replace('127.0.0.1:9600', target);
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const port = await freePort();
  const child = new Child(
    program('prometheus'),
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { cwd: folder },
  );
  t.teardown(() => child.stop());
  return async (path) => {
    const { status, body } = await httpGet(`http://127.0.0.1:${port}/api/v1${path}`);
    if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
    return (JSON.parse(body) as { data: unknown }).data;
  };
}

t.test('a target is up, the rules have values, and an alert fires and ends', async (t) => {
  if (!haveServers(t, 'prometheus')) return;
  const [dies, stays] = await startEchoes(t, 2);
  if (dies === undefined || stays === undefined) throw new Error('two were started');
  const backends = [
    { name: 'dies', address: dies.address },
    { name: 'stays', address: stays.address },
  ];
  const daemon = await startDaemon(t, { toml: serviceText({ name: 'app', backends }) });
  await daemon.backendsUp('app', 2);
  const { address } = await daemon.event('admin-listening');
  const ask = await startPrometheus(t, String(address));
  await eventually('the target is up', async () => {
    const { activeTargets } = (await ask('/targets')) as { activeTargets: { health: string }[] };
    return activeTargets[0]?.health === 'up' ? true : undefined;
  });
  const average = `/query?query=${encodeURIComponent('instance_pool:sluice_backend_up:avg')}`;
  await eventually('what is recorded', async () => {
    const { result } = (await ask(average)) as { result: { metric: object; value: string[] }[] };
    return result[0]?.value[1] === '1' ? true : undefined;
  });
  const firing = async (): Promise<readonly Alert[]> => {
    const { alerts } = (await ask('/alerts')) as { alerts: readonly Alert[] };
    return alerts.filter(({ state }) => state === 'firing');
  };
  t.same(await firing(), [], 'nothing is wrong');

  await dies.kill();
  const alert = await eventually('the alert', async () =>
    (await firing()).find(({ labels }) => labels['alertname'] === 'SluiceBackendDown'),
  );
  t.match(alert, {
    labels: { pool: 'app', backend: 'dies', severity: 'warning' },
    annotations: { summary: 'Backend app/dies is down', description: /sluice ctl why app\/dies/ },
  });
  await dies.start();
  await eventually('its end', async () =>
    (await firing()).some(({ labels }) => labels['alertname'] === 'SluiceBackendDown')
      ? undefined
      : true,
  );
});
