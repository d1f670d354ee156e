/**
 * The dashboard: one page without any outside part. Its script reads /health every second and
 * builds the tables from text only, so nothing that a backend says can become markup.
 */
import { createHash } from 'node:crypto';
import { DASHBOARD_SCRIPT } from './script.js';
import { DASHBOARD_STYLE } from './style.js';

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
  <p id="about"></p>
</header>
<p id="lost" role="status" hidden></p>
<main>
  <section id="figures" aria-label="Traffic"></section>
  <section>
    <h2>Listeners</h2>
    <div class="card"><table id="listeners"></table></div>
  </section>
  <section id="pools"></section>
</main>
<footer>
  <a href="/health">health</a> · <a href="/health?format=text">as text</a> ·
  <a href="/metrics">metrics</a> · <a href="/ready">ready</a> · <a href="/healthz">alive</a>
</footer>
<noscript>This page needs JavaScript. <a href="/health?format=text">The same as text</a>.</noscript>
<script>${DASHBOARD_SCRIPT}</script>
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
    `script-src '${fingerprint(DASHBOARD_SCRIPT)}'`,
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
