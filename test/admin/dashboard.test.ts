/** The dashboard in a real browser. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { type AdminServer, startAdmin } from '../../src/admin/http.js';
import type { BackendView, PoolState } from '../../src/admin/views.js';
import { present } from '../../src/core/assert.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';
import { type FakeViews, fakeViews, HEALTH } from './fake_views.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) ? false : `needs Chromium at ${CHROMIUM} (or CHROMIUM=…)`;

const POOL_TONES: readonly [tone: string, state: PoolState][] = [
  ['good', 'up'],
  ['warn', 'backup'],
  ['warn', 'panic'],
  ['warn', 'full'],
  ['warn', 'unproven'],
  ['idle', 'leaving'],
  ['bad', 'down'],
];

interface Opened {
  readonly page: Page;
  readonly views: FakeViews;
  readonly server: AdminServer;
  /** What the browser complained about, content security included. */
  readonly complaints: string[];
}

async function open(t: Test, browser: Browser, views: FakeViews): Promise<Opened> {
  const started = await startAdmin(ipEndpoint(4, '127.0.0.1', 0), {
    views,
    clock: systemClock,
    timers: systemTimers,
    defect: (error) => t.fail(String(error)),
    hosts: () => [],
  });
  const server = present(started.ok ? started.value : null, 'a free port can be bound');
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  t.teardown(async () => {
    await page.close();
    await server.close();
  });
  await page.goto(`http://127.0.0.1:${server.endpoint.port}/`);
  return { page, views, server, complaints };
}

t.test('the dashboard', { skip }, async (t) => {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  t.teardown(() => browser.close());

  await t.test('shows every listener, pool and backend with its state', async (t) => {
    const { page, complaints } = await open(t, browser, fakeViews());
    await page.getByText('Pool main').waitFor();
    const rows = await page.locator('tbody tr').allInnerTexts();
    const cells = rows.map((row) => row.split('\t').map((cell) => cell.trim()));
    t.match(cells[0], [
      'pg',
      'open',
      'tcp 0.0.0.0:5432, [::]:5432',
      'main',
      '12 of 4,096',
      'all-down 5, queue-full 2',
    ]);
    t.match(cells[1], ['dns', 'failed']);
    t.match(cells[2], ['a', 'up', '10.0.0.1:97', '7 of 10', '1', '1.3 ms', '1 min', '']);
    t.match(cells[3], ['b', 'down', /:98/, '0', '1', 'failed, 0.3 ms', '1 min', /refused 3 times/]);
    t.match(cells[4], ['c', 'up, backup', /:99/, '0', '0.5 of 1']);
    t.match(cells[5], ['d backup', 'unproven', /:100/, '0', '1', 'none yet']);
    t.same(complaints, []);
  });

  await t.test('follows what changes', async (t) => {
    const { page, views } = await open(t, browser, fakeViews());
    await page.getByText('serving', { exact: true }).waitFor();
    views.view = { ...HEALTH, phase: 'stopping' };
    await page.getByText('stopping', { exact: true }).waitFor();
    t.match(await page.locator('#phase').getAttribute('class'), 'warn');
  });

  await t.test('has a tone for every state, and none alarms that is as it should be', async (t) => {
    const views = fakeViews();
    const [pool] = HEALTH.pools;
    const [some] = pool?.backends ?? [];
    if (pool === undefined || some === undefined) throw new Error('the fake has a pool');
    const situations: readonly [string, Partial<BackendView>, string][] = [
      ['good', { state: 'up' }, 'up'],
      ['idle', { state: 'up', eligible: false, cause: 'backup' }, 'up, backup'],
      ['idle', { state: 'up', eligible: false, cause: 'weight-0' }, 'up, weight-0'],
      ['idle', { state: 'standby', eligible: false, cause: 'standby' }, 'standby'],
      ['idle', { state: 'leaving', eligible: false, cause: 'drained' }, 'leaving'],
      ['warn', { state: 'unproven', eligible: false, cause: 'unproven' }, 'unproven'],
      ['warn', { state: 'full', eligible: false, cause: 'full' }, 'full'],
      ['warn', { state: 'degraded' }, 'degraded'],
      ['warn', { state: 'ejected', eligible: false, cause: 'ejected' }, 'ejected'],
      ['warn', { state: 'unresolved', eligible: false, cause: 'unresolved' }, 'unresolved'],
      ['bad', { state: 'down', eligible: false, cause: 'down' }, 'down'],
    ];
    const backends = situations.map(([, view], index) => ({ ...some, name: `b${index}`, ...view }));
    const pools = POOL_TONES.map(([, state]) => ({
      ...pool,
      name: `is-${state}`,
      state,
      backends,
    }));
    views.view = { ...HEALTH, pools };
    const { page, complaints } = await open(t, browser, views);
    await page.getByText('Pool is-down').waitFor();
    const shown = await page
      .locator('#pools table')
      .first()
      .locator('td:nth-child(2) .state')
      .all();
    for (const [index, [tone, , label]] of situations.entries()) {
      t.equal(await shown[index]?.getAttribute('class'), `state ${tone}`, label);
      t.equal(await shown[index]?.innerText(), label);
    }
    const titles = await page.locator('#pools h2 .state').all();
    for (const [index, [tone, state]] of POOL_TONES.entries()) {
      t.equal(await titles[index]?.getAttribute('class'), `state ${tone}`, state);
    }
    if (process.env['PICTURE'] !== undefined) {
      await page.screenshot({ path: process.env['PICTURE'], fullPage: true });
    }
    t.same(complaints, []);
  });

  await t.test('shows markup from a backend as text', async (t) => {
    const markup = '<img src="x" onerror="document.title=1"><script>document.title=2</script>';
    const views = fakeViews();
    const [pool] = HEALTH.pools;
    const backends = (pool?.backends ?? []).map((backend) => ({ ...backend, reason: markup }));
    views.view = { ...HEALTH, pools: HEALTH.pools.map((one) => ({ ...one, backends })) };
    const { page, complaints } = await open(t, browser, views);
    await page.getByText(markup).first().waitFor();
    t.equal(await page.locator('main img, main script').count(), 0);
    t.equal(await page.title(), 'sluice');
    t.same(complaints, []);
  });

  await t.test('says so when sluice does not answer, and keeps the last state', async (t) => {
    const { page, server } = await open(t, browser, fakeViews());
    await page.getByText('Pool main').waitFor();
    await server.close();
    await page.getByText(/No answer from sluice/).waitFor();
    t.ok(await page.getByText('Pool main').isVisible());
  });
});
