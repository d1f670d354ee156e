/** The dashboard's style: system fonts, light and dark, a colour and a sign for each tone. */
export const DASHBOARD_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --line: #e3e6ea; --ink: #1b2430; --faint: #5c6675;
  --good: #1a7f4b; --warn: #946000; --bad: #c02b3a; --idle: #5f6977; --accent: #2560c8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --card: #171d25; --line: #27303b; --ink: #e4e9f0; --faint: #8f9bab;
    --good: #3fbf7f; --warn: #e0a23c; --bad: #f0616f; --idle: #8794a5; --accent: #79a8ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums;
}
header { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; }
header #token { margin-left: auto; }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -.02em; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; }
h3 { margin: 0; font-size: 1rem; }
small { display: block; color: var(--faint); font-size: .85rem; font-weight: 400; }
#about { flex-basis: 100%; margin: 0; color: var(--faint); }
#lost, #trouble {
  margin: 1rem 0 0; padding: .5rem 1rem; border: 1px solid var(--bad); border-radius: .5rem;
  color: var(--bad); list-style: none;
}
body.stale main { opacity: .45; }
.card:has(> table:empty) { display: none; }
.card {
  overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
}
.chips { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .5rem; margin: 1rem 0 0; }
.chips > span { margin-right: .5rem; }
.chip { padding: .1rem .7rem; border-radius: 1rem; }
.chip.state { border-color: currentColor; }
.chip b { color: var(--ink); font-weight: 600; }
#parts .chip b { margin-left: .35rem; }
.fold { margin: .5rem 0 0; }
#figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem;
}
.figure { display: flex; flex-direction: column; padding: .75rem 1rem .5rem; }
.figure b { display: block; font-size: 1.5rem; font-weight: 600; letter-spacing: -.02em; }
.figure span { color: var(--faint); font-size: .85rem; }
.figure svg { display: block; width: 100%; height: 2.5rem; margin-top: auto; padding-top: .25rem; }
polyline {
  fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke;
}
polyline.line1 { stroke: var(--warn); stroke-dasharray: 3 2; }
table { width: 100%; border-collapse: collapse; white-space: nowrap; }
th, td { padding: .45rem .75rem; text-align: left; border-top: 1px solid var(--line); }
thead th {
  border-top: 0; color: var(--faint); font-size: .75rem; font-weight: 500; letter-spacing: .04em;
  text-transform: uppercase;
}
td.reason { width: 100%; white-space: normal; min-width: 10rem; }
.reason { color: var(--faint); }
p.reason { margin: .25rem 0 0; }
td.counts { white-space: normal; min-width: 8rem; }
td.name, td.long { white-space: normal; overflow-wrap: anywhere; }
td.name { min-width: 13rem; max-width: 26rem; font-weight: 600; }
td.long { min-width: 11.75rem; max-width: 20rem; }
td.what { width: 100%; min-width: 16rem; white-space: normal; overflow-wrap: anywhere; }
.scroll { max-height: 36rem; overflow-y: auto; }
code { color: var(--faint); font: inherit; }
.pill, .state { display: inline-flex; align-items: baseline; gap: .4rem; color: var(--tone); }
.pill { padding: 0 .6rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .85rem; }
.good { --tone: var(--good); --sign: '●'; } .warn { --tone: var(--warn); --sign: '▲'; }
.bad { --tone: var(--bad); --sign: '✖'; } .idle { --tone: var(--idle); --sign: '○'; }
.state::before, .pill::before { content: var(--sign) / ''; font-size: .7rem; }
.load {
  display: inline-block; width: 4rem; height: .35rem; margin-left: .5rem;
  vertical-align: .1em; overflow: hidden; border-radius: 1rem; background: var(--line);
}
.load i { display: block; height: 100%; background: var(--accent); }
.flow {
  display: grid; grid-template-columns: minmax(6rem, 10rem) minmax(14rem, 24rem) 1fr;
  gap: 1.5rem; align-items: center; margin-bottom: .75rem; padding: .75rem 1rem;
}
.flow > * { position: relative; min-width: 0; margin: 0; }
.from { overflow-wrap: anywhere; }
.flow > * + *::before {
  content: '→' / ''; position: absolute; left: -1.3rem; top: calc(50% - .75em); color: var(--faint);
}
.strip {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .25rem;
}
.segment {
  display: block; min-width: 0; overflow: hidden; text-align: left;
  overflow-wrap: anywhere;
  border: 1px solid var(--tone); border-left-width: .35rem;
}
.segment b { display: inline; margin-left: .3rem; color: var(--ink); font-weight: 600; }
.segment small { color: var(--tone); }
.segment .load { display: block; width: 100%; margin: .25rem 0 0; }
.segment .load i { background: var(--tone); }
button, select, input {
  padding: .3rem .7rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); color: inherit; font: inherit; font-size: .9rem;
}
button { cursor: pointer; }
button:disabled { opacity: .4; cursor: default; }
button.link {
  padding: 0; border: 0; background: none; color: var(--accent); font-weight: 600;
  text-align: left; overflow-wrap: anywhere;
}
button.yes { background: var(--accent); color: var(--card); border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
form.asks { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; margin-bottom: .5rem; }
#filter { flex: 1 1 14rem; }
#which input { flex: 1 1 8rem; min-width: 0; }
#of-client { flex-grow: 2; }
#matched, #found { color: var(--faint); }
dialog {
  width: min(60rem, 94vw); max-height: 92vh; padding: 1.25rem 1.5rem; color: inherit;
  background: var(--ground); border: 1px solid var(--line); border-radius: .75rem;
}
dialog::backdrop { background: rgb(0 0 0 / .45); }
#asked { width: min(28rem, 94vw); }
dialog h2 { margin: 0 0 .5rem; overflow-wrap: anywhere; }
.head h2 { margin: 0; }
.head {
  position: sticky; top: -1.25rem; z-index: 1; display: flex; align-items: flex-start; gap: 1rem;
  justify-content: space-between; padding: .25rem 0 .75rem; background: var(--ground);
}
dialog h3 { margin: 1.25rem 0 .5rem; }
dialog label { display: block; margin: .5rem 0; color: var(--faint); }
dialog label input { display: block; width: 100%; color: var(--ink); }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem 2rem; margin-bottom: .75rem; }
.facts dl { align-content: start; }
.problem { color: var(--bad); }
.problem:empty { display: none; }
footer { margin: 2rem 0 0; color: var(--faint); font-size: .85rem; }
a { color: inherit; }
@media (max-width: 48rem) {
  body { padding: .75rem; }
  .flow { grid-template-columns: 1fr; gap: .5rem; }
  .facts { grid-template-columns: 1fr; }
  .flow > * + *::before { content: none; }
  thead { display: none; }
  table, tbody, tr, td { display: block; }
  tr + tr { border-top: 2px solid var(--line); }
  tr { padding: .35rem 0; }
  td, td.name, td.long, td.what, td.counts, td.reason {
    position: relative; width: auto; min-width: 0; max-width: none;
    padding: .2rem .75rem .2rem 7.75rem; border: 0; white-space: normal; overflow-wrap: anywhere;
  }
  td::before {
    content: attr(data-head); position: absolute; left: .75rem; color: var(--faint);
    font-weight: 400;
  }
  td:empty { display: none; }
  td .load { width: 3rem; }
}
`;
