/**
 * The dashboard of the real daemon in a real browser. What is on the page, and what its script
 * makes later, is known from the page itself: an element that is not used here, or a part that is
 * not looked at, makes the test fail.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { dashboardPage } from '../../src/admin/dashboard/page.js';
import { noBrowser, openPage, rowsOf, startBrowser } from '../support/browser.js';
import { type Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { PageUse } from '../support/page_use.js';
import { tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const TOKEN = 'correct-horse-battery';
/** Beside the pool that serves: enough for lists to be folded, and one of more than a screen. */
const SPARE = ['p1', 'p2', 'p3', 'p4', 'p5'];
const MANY = 60;
const BACKENDS = 2 + SPARE.length + MANY;
/** More than a page of them has. */
const SESSIONS = 52;

async function start(t: Test, tokenFile: string): Promise<Daemon> {
  const echoes = await startEchoes(t, 2);
  writeFileSync(tokenFile, TOKEN);
  const idle = (name: string, count: number): string =>
    listenerText({ pool: name }) +
    poolText({
      name,
      health: 'probe = "none"',
      backends: Array.from({ length: count }, (_, at) => ({
        name: `${name}-${at}`,
        address: `127.0.0.1:${at + 1}`,
      })),
    });
  const daemon = await startDaemon(t, {
    shutdownTimeout: '100ms',
    toml:
      listenerText({ pool: 'app' }) +
      poolText({
        name: 'app',
        policy: 'least-connections',
        backends: echoes.map(({ address }, at) => ({ name: `b${at}`, address })),
      }) +
      idle('many', MANY) +
      SPARE.map((name) => idle(name, 1)).join(''),
    adminLines: `token_file = "${tokenFile}"`,
  });
  await daemon.backendsUp('app', 2);
  // As many for each of them.
  for (let n = 0; n < SESSIONS; n++) {
    const wire = await dial(t, { port: await daemon.port('app') });
    await wire.send('x');
    await wire.read(1);
  }
  return daemon;
}

/** The page, and which parts of it have been looked at. */
class Screen {
  readonly seen = new Set<string>();
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  part(id: string): Locator {
    return this.page.locator(`#${id}`);
  }

  async sees(id: string, text: string | RegExp): Promise<void> {
    await this.part(id).filter({ hasText: text, visible: true }).waitFor();
    this.seen.add(id);
  }

  async press(id: string, name: string | RegExp): Promise<void> {
    await this.part(id).getByRole('button', { name }).first().click();
  }

  /** Closes a backend's page by the keyboard, when what was asked before is done. */
  async leaves(): Promise<void> {
    await this.part('asked').waitFor({ state: 'hidden' });
    await this.page.keyboard.press('Escape');
    await this.part('detail').waitFor({ state: 'hidden' });
  }

  async answers(field: string, value: string): Promise<void> {
    await this.part('asked').getByLabel(field).fill(value);
  }
}

/** Ids of the page that are no control of it. */
function partsOfPage(): readonly string[] {
  const markup = dashboardPage().replace(/<script>[\s\S]*/, '');
  return [...markup.matchAll(/<(\w+) [^>]*?id="([a-z-]+)"/g)]
    .filter(([, tag]) => !['button', 'input', 'select'].includes(tag ?? ''))
    .map(([, , id]) => id ?? '');
}

/** What the script makes for people to use: some of it was perhaps not there in a test. */
function controlsOfScript(): readonly string[] {
  return [...dashboardPage().matchAll(/\b(?:button|field)\('([a-z-]+)'/g)].map(
    ([, does]) => does ?? '',
  );
}

t.test('every element of the page does what it is for', { skip: noBrowser }, async (t) => {
  const tokenFile = join(tempFolder(t), 'token');
  const daemon = await start(t, tokenFile);
  const browser = await startBrowser(t);
  const { address } = await daemon.event('admin-listening');
  const use = new PageUse();
  const opened = await openPage(t, browser, `http://${address}/`, {}, (page) => use.watch(page));
  const screen = new Screen(opened.page);
  await overview(t, screen);
  await ways(t, screen);
  await choices(screen);
  await sessions(t, screen, daemon);
  await orders(t, screen, daemon);
  await newToken(screen, tokenFile);
  for (const link of await opened.page.locator('footer a').all()) {
    const path = (await link.getAttribute('href')) ?? '';
    t.equal((await daemon.get(path)).status, path === '/ready' ? 503 : 200, path);
  }
  await daemon.stop();
  await screen.sees('lost', /No answer from sluice/);
  await screen.sees('phase', 'no answer');

  t.same([...partsOfPage()].filter((id) => !screen.seen.has(id)).sort(), [], 'parts not seen');
  const all = new Set([...controlsOfScript(), ...use.there]);
  t.same([...all].filter((does) => !use.used.has(does)).sort(), [], 'elements not used');
  // The browser itself logs each answer that is a refusal, and of a daemon that is gone.
  t.same(
    opened.complaints.filter((text) => !/^Failed to load resource/.test(text)),
    [],
  );
});

async function overview(t: Test, screen: Screen): Promise<void> {
  await screen.sees('phase', 'serving');
  await screen.sees('about', `engine ${ENGINE}`);
  await screen.sees('states', `${BACKENDS} of ${BACKENDS} backends may get the next session`);
  await screen.sees('parts', 'Backends67');
  await screen.sees('whose', 'Traffic, now');
  await screen.sees('figures', /sessions now/);
  await screen.sees('listeners', 'app');
  await screen.sees('pools', 'Pool app');
  await screen.sees('rows', 'app/b0');
  await screen.sees('events', 'backend-up');
  const [first] = await rowsOf(screen.page, '#listeners');
  t.match(first, [
    'app',
    'open',
    /^tcp 0\.0\.0\.0:\d+$/,
    'app',
    new RegExp(`^${SESSIONS} of `),
    '0',
  ]);
}

/** From part to part, from list to list, into a pool and back. */
async function ways(t: Test, screen: Screen): Promise<void> {
  const { page } = screen;
  for (const part of ['Listeners', 'Pools', 'Backends', 'Sessions', 'Events']) {
    await screen.press('parts', new RegExp(`^${part}`));
    const id = `part-${part.toLowerCase()}`;
    await screen.sees(id, part);
    t.equal(await page.evaluate('document.activeElement.id'), id, 'for the keyboard, too');
  }
  for (const list of ['listeners', 'pools']) {
    await screen.sees(`fold-${list}`, 'of 7');
    await screen.press(`fold-${list}`, 'All 7');
    await screen.sees(list, 'p5');
    await screen.press(`fold-${list}`, 'The first 6 only');
  }
  await screen.press('pools', 'Pool many');
  await screen.sees('whose', 'Pool many');
  await screen.sees('matched', '1–50 of 60 (67 in all)');
  await screen.press('parts', 'All pools');
  await screen.sees('matched', '1–50 of 67');
  await screen.press('pools', '60 up');
  await screen.sees('matched', '1–50 of 60 (67 in all)');
  await page.locator('#pool').click();
  await screen.press('states', '67 up');
  await screen.sees('part-backends', 'Backends');
}

/** Which backends are on the screen. */
async function choices(screen: Screen): Promise<void> {
  const { page } = screen;
  await page.locator('#after').click();
  await screen.sees('matched', '51–67 of 67');
  await page.locator('#before').click();
  await screen.sees('matched', '1–50 of 67');
  await page.locator('#sort').selectOption('sessions');
  await page.locator('#rows tbody tr').first().getByText('app/b').waitFor();
  await page.locator('#state').selectOption('down');
  await screen.sees('rows', 'No backend is meant by this');
  await page.locator('#state').selectOption('');
  // From outside of any field.
  await page.locator('#part-backends').focus();
  await page.keyboard.press('/');
  await page.keyboard.type('app/b');
  await screen.sees('window', '1–2 of 2 (67 in all)');
  await page.locator('#filter').fill('');
  await screen.sees('matched', '1–50 of 67');
}

/** All sessions, and some of them; the address keeps which. */
async function sessions(t: Test, screen: Screen, daemon: Daemon): Promise<void> {
  const { page } = screen;
  await screen.sees('which', 'They are asked for when you press Look');
  await screen.press('which', 'Look');
  await screen.sees('found', /^50 sessions at .*, and there are more$/);
  const listed = (await rowsOf(page, '#sessions')).map((cells) => cells.at(-1));
  await screen.press('which', 'The next 50');
  await screen.sees('found', /^2 sessions more at [\d:]+$/);
  listed.push(...(await rowsOf(page, '#sessions')).map((cells) => cells.at(-1)));
  t.equal(new Set(listed).size, SESSIONS, 'each of them once');

  await page.locator('#of-backend').fill('elsewhere');
  await page.keyboard.press('Enter');
  await screen.sees('found', /elsewhere/);
  const meant = { listener: 'app', pool: 'app', backend: 'app/b1', client: '127.0.0.0/8' };
  for (const [name, value] of Object.entries({ ...meant, older: '1ms', idle: '1ms' })) {
    await page.locator(`#of-${name}`).fill(value);
  }
  await page.locator('#of-sort').selectOption('idle');
  await screen.press('which', 'Look');
  await screen.sees('found', /^26 sessions at /);
  await page.reload();
  await screen.sees('found', /^26 sessions at /);
  t.equal(await page.locator('#of-client').inputValue(), meant.client);
  await screen.sees('sessions', 'app/b1');
  const [first] = await rowsOf(page, '#sessions');
  t.match(first, [/^127\.0\.0\.1:\d+$/, 'app', 'app/b1', 'relaying']);
  const id = first?.at(-1) ?? '';
  const { body } = await daemon.get(`/v1/sessions?backend=app/b1&client=127.0.0.1`);
  t.match(body, `"${id}"`, 'the name that ctl has, too');
  await screen.press('sessions', 'app/b1');
  await screen.sees('detail', 'app/b1');
  await screen.leaves();
}

/** The token, a backend's page, and what may be changed there. */
async function orders(t: Test, screen: Screen, daemon: Daemon): Promise<void> {
  const { page } = screen;
  await page.locator('#token').click();
  await screen.press('asked', 'No');
  await screen.press('pools', /^b1/);
  await screen.sees('detail', 'app/b1');
  await screen.press('detail', 'Close');
  await screen.press('rows', 'app/b0');
  await screen.sees('detail', /backend-up/);
  const detail = screen.part('detail');
  await screen.sees('detail', /Sessions so far26.*In26 B, .* per second now.*First byte[\d.]+ ms/);
  t.match(await detail.innerText(), /Down: never since/);
  t.equal(await detail.getByRole('button', { name: 'Drain' }).count(), 0, 'not without a token');
  await screen.press('detail', 'Token');
  await screen.answers('Token', 'wrong');
  await screen.press('asked', 'Keep it');
  await screen.sees('asked', 'This is not the token');
  await screen.answers('Token', TOKEN);
  await page.keyboard.press('Enter');

  await screen.press('detail', 'Drain');
  await screen.press('asked', 'No');
  await screen.press('detail', 'Drain');
  t.equal(daemon.eventsNamed('override-set').length, 0, 'nothing before a yes');
  await screen.answers('Because', 'kernel update');
  await screen.answers('For', '1 h');
  await screen.press('asked', 'Yes, drain');
  await screen.sees('asked', 'expected a time such as 30s');
  await screen.answers('For', '1h');
  await screen.press('asked', 'Yes, drain');
  t.match(await daemon.event('override-set'), { backend: 'b0', by: 'token' });
  await screen.sees('detail', 'drained by token');
  await screen.press('detail', 'Sessions');
  await screen.sees('detail', 'relaying');
  await screen.leaves();
  await screen.sees('deviations', 'kernel update');
  await screen.press('parts', /^Overrides/);
  await screen.sees('part-overrides', 'what deviates');
  await screen.sees('overrides', 'app/b0');
  const [deviation] = await rowsOf(page, '#overrides');
  t.match(deviation, ['app/b0', 'drained', 'ready', 'token', / ago$/, /^in /, 'kernel update']);

  await screen.press('rows', 'app/b0');
  await screen.press('detail', 'Ready');
  await screen.press('asked', 'Yes, ready');
  await daemon.event('override-ended');
  await screen.press('detail', 'Weight');
  await screen.answers('Weight', '50%');
  await screen.press('asked', 'Yes, weight');
  t.match(await daemon.event('override-set', ({ kind }) => kind === 'weight'), { value: '50%' });
  await screen.leaves();
  await screen.sees('overrides', 'weight 50%');
  for (const name of ['app/b0', 'app/b1']) {
    await screen.press('rows', name);
    await screen.press('detail', 'Drain');
    await screen.press('asked', 'Yes, drain');
    await daemon.event('override-set', ({ kind, backend }) => {
      return kind === 'drain' && name.endsWith(String(backend));
    });
    await screen.leaves();
  }
  await screen.sees('trouble', /app/);
}

/** A page with the old one says so, and asks for the new one. */
async function newToken(screen: Screen, tokenFile: string): Promise<void> {
  const { page } = screen;
  writeFileSync(tokenFile, `${TOKEN}-of-today`);
  await page.locator('#filter').fill('b1');
  await screen.sees('lost', /^Nothing new for .*: This is not the token/);
  await screen.answers('Token', `${TOKEN}-of-today`);
  await page.keyboard.press('Enter');
  await screen.part('lost').waitFor({ state: 'hidden' });
}
