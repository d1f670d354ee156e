/**
 * The dashboard: one page without any outside part. Its script follows /v1/live and builds what it
 * shows from text only, so nothing that a backend says can become markup.
 */
import { createHash } from 'node:crypto';
import { DETAIL_SCRIPT } from './detail_script.js';
import { DRAWING_SCRIPT } from './drawing_script.js';
import { LIVE_SCRIPT } from './live_script.js';
import { ORDERS_SCRIPT } from './orders_script.js';
import { SESSIONS_SCRIPT } from './sessions_script.js';
import { DASHBOARD_STYLE } from './style.js';
import { TABLES_SCRIPT } from './tables_script.js';

const SCRIPT = [
  DRAWING_SCRIPT,
  TABLES_SCRIPT,
  DETAIL_SCRIPT,
  SESSIONS_SCRIPT,
  ORDERS_SCRIPT,
  LIVE_SCRIPT,
].join('');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>sluice</title>
<link rel="icon" href="data:,">
<style>${DASHBOARD_STYLE}</style>
</head>
<body>
<header>
  <h1>sluice</h1>
  <span id="phase" class="pill">…</span>
  <button id="token" type="button">Token …</button>
  <p id="about"></p>
</header>
<p id="lost" role="status" hidden></p>
<ul id="trouble" aria-label="What is not as it should be" hidden></ul>
<main>
  <p id="states" class="chips" role="group" aria-label="How backends are"></p>
  <nav id="parts" class="chips" aria-label="Parts of this page"></nav>
  <section aria-label="Traffic">
    <h2 id="whose">Traffic, now and in the last hour</h2>
    <div id="figures"></div>
  </section>
  <section>
    <h2 id="part-listeners" tabindex="-1">Listeners</h2>
    <div class="card"><table id="listeners"></table></div>
    <p id="fold-listeners" class="fold" hidden></p>
  </section>
  <section>
    <h2 id="part-pools" tabindex="-1">Pools</h2>
    <div id="pools"></div>
    <p id="fold-pools" class="fold" hidden></p>
  </section>
  <section>
    <h2 id="part-backends" tabindex="-1">Backends</h2>
    <form id="window" class="asks" role="search" aria-label="Backends">
      <input id="filter" type="search" placeholder="name, address, state or reason ( / )"
        aria-label="Filter backends" maxlength="200">
      <select id="state" aria-label="State"></select>
      <select id="sort" aria-label="Order"></select>
      <button id="pool" type="button" hidden></button>
      <span id="matched" role="status"></span>
      <button id="before" type="button">Before</button>
      <button id="after" type="button">Further</button>
    </form>
    <div class="card"><table id="rows"></table></div>
  </section>
  <section>
    <h2 id="part-sessions" tabindex="-1">Sessions</h2>
    <form id="which" class="asks" role="search" aria-label="Sessions">
      <input id="of-listener" placeholder="listener" aria-label="Listener" maxlength="200">
      <input id="of-pool" placeholder="pool" aria-label="Pool" maxlength="200">
      <input id="of-backend" placeholder="backend" aria-label="Backend" maxlength="400">
      <input id="of-client" placeholder="client, or a block: 10.0.0.0/8" aria-label="Client"
        maxlength="60">
      <input id="of-older" placeholder="older than: 10m" aria-label="Older than" maxlength="20">
      <input id="of-idle" placeholder="idle for: 5m" aria-label="Idle for" maxlength="20">
      <select id="of-sort" aria-label="Order of sessions"></select>
      <button id="look" type="submit">Look</button>
      <button id="further" type="button" disabled>The next 50</button>
      <span id="found" role="status">They are asked for when you press Look, and not followed.</span>
    </form>
    <div class="card"><table id="sessions"></table></div>
  </section>
  <section id="deviations" hidden>
    <h2 id="part-overrides" tabindex="-1">Overrides: what deviates from the file</h2>
    <div class="card"><table id="overrides"></table></div>
  </section>
  <section>
    <h2 id="part-events" tabindex="-1">Events</h2>
    <div class="card scroll" tabindex="0" role="group" aria-label="Events">
      <table id="events"></table>
    </div>
  </section>
</main>
<dialog id="detail" aria-labelledby="detail-name"></dialog>
<dialog id="asked" aria-labelledby="asked-name"></dialog>
<footer>
  <a href="/health">health</a> · <a href="/health?format=text">as text</a> ·
  <a href="/metrics">metrics</a> · <a href="/ready">ready</a> · <a href="/healthz">alive</a> ·
  <a href="/v1/openapi.json">API</a>
</footer>
<noscript>This page needs JavaScript. <a href="/health?format=text">The same as text</a>.</noscript>
<script>${SCRIPT}</script>
</body>
</html>
`;

export function dashboardPage(): string {
  return PAGE;
}

/** Only this script and this style may run, and they may talk to this server only. */
export function dashboardHeaders(): Record<string, string> {
  const policy = [
    "default-src 'none'",
    `script-src '${fingerprint(SCRIPT)}'`,
    `style-src '${fingerprint(DASHBOARD_STYLE)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { 'content-security-policy': policy.join('; ') };
}

function fingerprint(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
