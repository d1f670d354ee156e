/** The dashboard in a real browser. */
import type { Browser } from 'playwright-core';
import t, { type Test } from 'tap';
import { type AdminServer, type ControlApi, startAdmin } from '../../src/admin/http.js';
import { plainAnswer } from '../../src/admin/routes.js';
import type { BackendView, HealthView, PoolState, PoolView } from '../../src/admin/views.js';
import type { Caller } from '../../src/control/api/caller.js';
import { whyEndpoint } from '../../src/control/api/events.js';
import { hourEndpoint } from '../../src/control/api/hour.js';
import { liveEndpoint } from '../../src/control/api/live.js';
import { createRouter } from '../../src/control/api/router.js';
import { ApiTurns } from '../../src/control/api/turns.js';
import { LastHour } from '../../src/control/last_hour.js';
import { present } from '../../src/core/assert.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { createSeriesMemory, SeriesReader } from '../../src/core/series.js';
import { RecentEvents } from '../../src/observe/recent_events.js';
import { systemClock } from '../../src/system/clock.js';
import { systemTimers } from '../../src/system/timers.js';
import { inventory, tallies } from '../control/fixtures.js';
import { noBrowser, type OpenPage, openPage, rowsOf, startBrowser } from '../support/browser.js';
import { type FakeViews, fakeViews, HEALTH } from './fake_views.js';
import { SOCKETS } from './site.js';

const TIME = { clock: systemClock, timers: systemTimers };
const ANY_CALLER: Caller = { name: 'unknown', may: 'look', why: 'this is a test' };

const POOL_TONES: readonly [tone: string, state: PoolState][] = [
  ['good', 'up'],
  ['warn', 'backup'],
  ['warn', 'panic'],
  ['warn', 'full'],
  ['warn', 'unproven'],
  ['idle', 'leaving'],
  ['bad', 'down'],
];

interface Opened extends OpenPage {
  readonly views: FakeViews;
  readonly server: AdminServer;
  readonly recent: RecentEvents;
}

function apiOf(t: Test, views: FakeViews, recent: RecentEvents): ControlApi {
  const series = new SeriesReader(createSeriesMemory(1));
  const lastHour = new LastHour({
    ...TIME,
    series,
    tallies: tallies(),
    pools: () => ['main'],
    handed: null,
  });
  t.teardown(() => lastHour.end());
  const daemon = { inventory: inventory() };
  const traffic = (pool: string, backend: string) => {
    const none = { sessions: 0, retries: 0, bytesIn: 0, bytesOut: 0, failedDials: [], ends: [] };
    return { ...none, connect: null, firstByte: null, ...views.traffic(pool, backend) };
  };
  const backends = (wanted: string | null) =>
    views
      .health()
      .pools.filter(({ name }) => name === wanted)
      .map(({ name, backends: its }) => {
        return { pool: name, backends: its.map((view) => ({ name: view.name, view: () => view })) };
      });
  const endpoints = [
    liveEndpoint({
      ...TIME,
      views,
      recent,
      lastHour,
      traffic,
      overrides: () => [],
      kept: { trouble: null },
    }),
    hourEndpoint({ lastHour, daemon }),
    whyEndpoint({ views: { backends }, recent, traffic, daemon }),
  ];
  const router = createRouter(endpoints, '1', new ApiTurns(setImmediate, TIME.clock));
  const answer: ControlApi['answer'] = (request) => router(request, () => ANY_CALLER);
  const refuse = plainAnswer;
  return { maxBodyBytes: 0, prefix: '/v1/', answer, refuse, refusal: async () => null };
}

async function open(
  t: Test,
  browser: Browser,
  views: FakeViews,
  look: Parameters<typeof openPage>[3] = {},
): Promise<Opened> {
  const recent = new RecentEvents();
  const started = await startAdmin(ipEndpoint(4, '127.0.0.1', 0), {
    ...TIME,
    sockets: SOCKETS,
    views,
    defect: (error) => t.fail(String(error)),
    slow: () => t.fail('a page was too slow'),
    hosts: () => [],
    control: apiOf(t, views, recent),
  });
  const server = present(started.ok ? started.value : null, 'a free port can be bound');
  t.teardown(() => server.close());
  const opened = await openPage(t, browser, `http://127.0.0.1:${server.endpoint.port}/`, look);
  return { ...opened, views, server, recent };
}

const [POOL] = HEALTH.pools;
const [BACKEND] = POOL?.backends ?? [];
if (POOL === undefined || BACKEND === undefined) throw new Error('the fake has a pool');

/** Pools of ten; in each hundredth one is down. */
function manyPools(count: number): HealthView {
  const [ten] = manyBackends(10).pools;
  const pools = Array.from({ length: count }, (_, index): PoolView => {
    const backends = (ten as PoolView).backends.map((one) =>
      index % 100 === 50 ? one : (BACKEND as BackendView),
    );
    return { ...(ten as PoolView), name: `p${String(index).padStart(4, '0')}`, backends };
  });
  return { ...HEALTH, pools };
}

function manyBackends(count: number): HealthView {
  const backends = Array.from({ length: count }, (_, index): BackendView => {
    const isDown = index % 1_000 === 7;
    const name = `b${String(index).padStart(5, '0')}`;
    const down = { state: 'down', eligible: false, cause: 'down', reason: 'refused' } as const;
    return { ...(BACKEND as BackendView), name, ...(isDown ? down : {}) };
  });
  return { ...HEALTH, pools: [{ ...(POOL as PoolView), backends }] };
}

t.test('the dashboard', { skip: noBrowser }, async (t) => {
  const browser = await startBrowser(t);

  await t.test('shows every listener, pool and backend with its state', async (t) => {
    const { page, complaints } = await open(t, browser, fakeViews());
    await page.getByText('Pool main').waitFor();
    const [failed, listener] = await rowsOf(page, '#listeners');
    t.match(listener, ['pg', 'open', 'tcp 0.0.0.0:5432, [::]:5432', 'main', '12 of 4,096']);
    t.equal(listener?.[5], 'all-down 5, queue-full 2');
    t.match(failed, ['dns', 'failed']);
    const [a, b, c, d] = await rowsOf(page, '#rows');
    t.match(a, ['main/a', 'up', '10.0.0.1:97', '7 of 10', '1', '1.3 ms', '1 min', '']);
    t.match(b, ['main/b', 'down', /:98/, '0', '1', 'failed, 0.3 ms', '1 min', /refused 3 times/]);
    t.match(c, ['main/c', 'up, backup', /:99/, '0', '0.5 of 1']);
    t.match(d, ['main/d backup', 'unproven', /:100/, '0', '1', 'none yet']);
    t.equal(await page.locator('.strip .segment').count(), 4, 'a picture of each');
    t.same(complaints, []);
  });

  await t.test('follows what changes, without asking again', async (t) => {
    const { page, views, recent } = await open(t, browser, fakeViews());
    await page.getByText('serving', { exact: true }).waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    views.view = { ...HEALTH, phase: 'stopping' };
    views.readyProblems = ['sluice stops'];
    await page.getByText('stopping', { exact: true }).waitFor();
    t.match(await page.locator('#phase').getAttribute('class'), 'warn');
    t.equal(await page.locator('#trouble').innerText(), 'sluice stops');
    recent.add('stopping', Date.now(), { signal: 'SIGTERM', sessions: 3, limit_ms: 9 });
    await page.getByText('signal SIGTERM, sessions 3').waitFor();
    t.same(asked, []);
  });

  await t.test('has a tone for every state, and none alarms that is as it should be', async (t) => {
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
    const backends = situations.map(([, view], index) => {
      return { ...BACKEND, name: `b${index}`, ...view };
    });
    const pools = POOL_TONES.map(([, state]) => ({
      ...POOL,
      name: `is-${state}`,
      state,
      backends,
    }));
    const views = fakeViews();
    views.view = { ...HEALTH, pools };
    const { page, complaints } = await open(t, browser, views);
    await page.locator('#fold-pools').getByRole('button', { name: 'All 7' }).click();
    await page.getByText('Pool is-leaving').waitFor();
    await page.getByText('Pool is-down').waitFor();
    const shown = await page.locator('#rows td:nth-child(2) .state').all();
    const segments = await page.locator('.strip').first().locator('.segment').all();
    for (const [index, [tone, , label]] of situations.entries()) {
      t.equal(await shown[index]?.getAttribute('class'), `state ${tone}`, label);
      t.equal(await shown[index]?.innerText(), label);
      t.equal(await segments[index]?.getAttribute('class'), `segment state ${tone}`, label);
    }
    for (const [tone, state] of POOL_TONES) {
      const title = page.locator('#pools h3', { hasText: `Pool is-${state}` }).locator('.state');
      t.equal(await title.getAttribute('class'), `state ${tone}`, state);
    }
    if (process.env['PICTURE'] !== undefined) {
      await page.screenshot({ path: process.env['PICTURE'], fullPage: true });
    }
    t.same(complaints, []);
  });

  await t.test('shows markup from a backend as text', async (t) => {
    const markup = '<img src="x" onerror="document.title=1"><script>document.title=2</script>';
    const views = fakeViews();
    const backends = POOL.backends.map((backend) => ({ ...backend, reason: markup }));
    views.view = { ...HEALTH, pools: [{ ...POOL, backends }] };
    const { page, complaints } = await open(t, browser, views);
    await page.getByText(markup).first().waitFor();
    t.equal(await page.locator('main img, main script').count(), 0);
    t.equal(await page.title(), 'sluice');
    t.same(complaints, []);
  });

  await t.test('finds those in trouble among 10,000, and shows a screen of them', async (t) => {
    const views = fakeViews();
    views.view = manyBackends(10_000);
    const { page, complaints } = await open(t, browser, views);
    await page.getByText('1–50 of 10,000').waitFor();
    t.equal(await page.locator('#rows tbody tr').count(), 50);
    t.same(await page.locator('.strip .segment b').allInnerTexts(), ['9,990', '10']);
    await page.getByRole('button', { name: 'Further' }).click();
    await page.getByText('51–100 of 10,000').waitFor();
    await page.locator('.strip').getByRole('button', { name: 'down' }).click();
    await page.getByText('1–10 of 10 (10,000 in all)').waitFor();
    t.match(await rowsOf(page, '#rows'), [
      ['main/b00007', 'down'],
      ['main/b01007', 'down'],
    ]);
    await page.keyboard.press('/');
    await page.keyboard.type('b0900');
    await page.getByText('1–1 of 1 (10,000 in all)').waitFor();
    t.match(page.url(), /#.*filter=b0900/, 'the address leads here again');
    await page.reload();
    await page.getByText('1–1 of 1 (10,000 in all)').waitFor();
    t.equal(await page.locator('#filter').inputValue(), 'b0900');
    t.same(complaints, []);
  });

  await t.test('of 1,000 pools those with trouble come first, and each has its page', async (t) => {
    const views = fakeViews();
    views.view = manyPools(1_000);
    const { page, recent, complaints } = await open(t, browser, views);
    await page.getByText('9,990 of 10,000 backends may get the next session').waitFor();
    t.same(await page.locator('#states button').allTextContents(), ['10 down', '9,990 up']);
    const names = page.locator('#pools h3 button');
    t.same(await names.allInnerTexts(), [
      'Pool p0050',
      'Pool p0150',
      'Pool p0250',
      'Pool p0350',
      'Pool p0450',
      'Pool p0550',
    ]);
    const elements = await page.evaluate('document.querySelectorAll("*").length');
    t.ok(Number(elements) < 2_500, `${elements} elements`);
    await page.locator('#fold-pools').getByRole('button', { name: 'All 100 …' }).click();
    await page.getByText('900 more: sluice ctl pools').waitFor();
    t.equal(await names.count(), 100);
    recent.add('backend-down', Date.now(), { pool: 'p0999', backend: 'x', cause: 'refused' });
    await page.goto(`${page.url().split('#')[0]}#pool=p0999`);
    await page.getByText('1–10 of 10 (10,000 in all)').waitFor();
    t.same(await names.allInnerTexts(), ['Pool p0999'], 'also one that is far behind');
    await page.locator('#events').getByText('backend x').waitFor();
    await page.goto(`${page.url().split('#')[0]}#pool=none`);
    await page.getByText('There is no pool none.').waitFor();
    await page.getByRole('button', { name: 'All pools' }).click();
    await names.nth(5).waitFor();
    t.same(
      complaints.filter((text) => !text.startsWith('Failed to load resource')),
      [],
    );
  });

  await t.test('a backend shows what it has done, live, and how often it was down', async (t) => {
    const views = fakeViews();
    let nowWallMs = HEALTH.nowWallMs;
    // Sixty sessions with each second that passes, which is one look.
    views.health = () => {
      nowWallMs += 1_000;
      return { ...HEALTH, nowWallMs };
    };
    views.traffic = () => ({
      sessions: 1_000 + (60 * (nowWallMs - HEALTH.nowWallMs)) / 1_000,
      failedDials: [{ reason: 'refused', count: 12 }],
      firstByte: { medianMs: 1.25, p99Ms: 80 },
    });
    const { page, recent } = await open(t, browser, views);
    const its = { pool: 'main', backend: 'b' };
    const ago = (minutes: number) => Date.now() - minutes * 60_000;
    recent.add('backend-down', ago(12), { ...its, cause: 'refused', detail: '' });
    recent.add('backend-up', ago(2), { ...its, cause: 'rise', detail: '' });
    await page.getByRole('button', { name: 'main/b', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/^1,\d+, 60 per second now$/).waitFor();
    t.match(await dialog.innerText(), /refused 12/);
    t.match(await dialog.innerText(), /1\.3 ms \/ 80 ms \(median \/ p99\)/);
    t.match(await dialog.innerText(), /Down: 1 time, 10 min in all, since/);
  });

  await t.test('by the keyboard alone one comes to a backend and back', async (t) => {
    const { page } = await open(t, browser, fakeViews());
    await page.locator('#rows').getByText('main/b').waitFor();
    const focused = () => page.evaluate('document.activeElement.dataset.key');
    for (let n = 0; n < 40 && (await focused()) !== 'row main/b'; n++)
      await page.keyboard.press('Tab');
    t.equal(await focused(), 'row main/b');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('refused 3 times in a row').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    t.equal(await focused(), 'row main/b', 'where it was');
  });

  await t.test('a backend has its history, and closes by the keyboard', async (t) => {
    const { page, recent } = await open(t, browser, fakeViews());
    const its = { pool: 'main', backend: 'b', cause: 'refused', detail: 'connect: refused' };
    recent.add('backend-down', Date.now(), its);
    await page.getByRole('button', { name: 'main/b', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('connect: refused').waitFor();
    t.match(await dialog.innerText(), /refused 3 times in a row/);
    t.match(await dialog.innerText(), /Changes take the token/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    // The address follows in a turn of its own.
    await page.waitForURL((url) => !url.hash.includes('backend='));
    await page.goto(`${page.url().split('#')[0]}#backend=main%2Fnone`);
    await dialog.getByText(/There is no/).waitFor();
  });

  await t.test('long names break, and every column stays on the screen', async (t) => {
    const views = fakeViews();
    const long = (name: string) => `${'a-name-of-somebody-who-names-at-length-'.repeat(2)}${name}`;
    views.view = {
      ...views.view,
      listeners: views.view.listeners.map((one) => ({ ...one, name: long(one.name) })),
      pools: views.view.pools.map((pool) => ({
        ...pool,
        backends: pool.backends.map((one) => ({ ...one, name: long(one.name) })),
      })),
    };
    const { page } = await open(t, browser, views, { viewport: { width: 1440, height: 900 } });
    await page.getByText('Pool main').waitFor();
    const cards = page.locator('.card').filter({ visible: true });
    const over = await cards.evaluateAll((all) =>
      all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent),
    );
    t.same(over, []);
  });

  await t.test('fits a phone, in the dark', async (t) => {
    const look = { viewport: { width: 375, height: 700 }, colorScheme: 'dark' } as const;
    const { page, complaints } = await open(t, browser, fakeViews(), look);
    await page.getByText('Pool main').waitFor();
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 375, 'nothing is beside');
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    t.equal(ground, 'rgb(15, 19, 24)');
    const head = `getComputedStyle(document.querySelector('#rows td'), '::before').content`;
    t.equal(await page.evaluate(head), '"Backend"', 'cells say what they are');
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
