/** Chromium, as Debian has it, and pages that keep what it complains about. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Scope } from './places.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there is no browser here; false where there is one: what a test's `skip` takes. */
export const noBrowser = existsSync(CHROMIUM)
  ? false
  : `needs Chromium at ${CHROMIUM} (or CHROMIUM=…)`;

export async function startBrowser(t: Scope, args: readonly string[] = []): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', ...args],
  });
  t.teardown(() => browser.close());
  return browser;
}

export interface OpenPage {
  readonly page: Page;
  /** What the browser complained about, content security included. */
  readonly complaints: string[];
}

export async function openPage(
  t: Scope,
  browser: Browser,
  url: string,
  look: Parameters<Browser['newPage']>[0] = {},
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<OpenPage> {
  const page = await browser.newPage(look);
  await prepare(page);
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  t.teardown(() => page.close());
  await page.goto(url);
  return { page, complaints };
}

/** Rows of a table as the cells that they show. */
export async function rowsOf(page: Page, table: string): Promise<readonly string[][]> {
  return page
    .locator(`${table} tbody tr`)
    .evaluateAll((rows) =>
      rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? '')),
    );
}
