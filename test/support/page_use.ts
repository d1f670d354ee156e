/** Which elements of a page were there for people to use, and which of them were used. */
import type { Page } from 'playwright-core';

/**
 * Reports each kind of element: what it does (`data-does`), or its id. A button is used when it is
 * clicked, also by the keyboard; a field when something is put in.
 */
const WATCHER = `{
  const told = new Set();
  const tell = (how, one) => {
    const what = one.dataset.does || '#' + one.id;
    if (told.has(how + what)) return;
    told.add(how + what);
    window.toldOfUse(how, what);
  };
  const look = () => {
    for (const one of document.querySelectorAll('button, input, select')) tell('there', one);
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  addEventListener('click', ({ target }) => {
    const clicked = target.closest('button');
    if (clicked) tell('used', clicked);
  }, true);
  addEventListener('input', ({ target }) => tell('used', target), true);
}`;

export class PageUse {
  readonly there = new Set<string>();
  readonly used = new Set<string>();

  /** To be called before the page is opened. */
  async watch(page: Page): Promise<void> {
    await page.exposeFunction('toldOfUse', (how: 'there' | 'used', what: string) => {
      this[how].add(what);
    });
    await page.addInitScript(WATCHER);
  }
}
