/** The dashboard's style: system fonts, light and dark, one colour a state. */
export const DASHBOARD_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --line: #e3e6ea; --ink: #1b2430; --faint: #66707f;
  --good: #1a7f4b; --warn: #a86400; --bad: #c02b3a; --idle: #6b7684; --accent: #2560c8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --card: #171d25; --line: #27303b; --ink: #e4e9f0; --faint: #8f9bab;
    --good: #3fbf7f; --warn: #e0a23c; --bad: #f0616f; --idle: #8794a5; --accent: #79a8ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums;
}
header { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -.02em; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; }
h2 .state { margin-left: .5rem; font-size: .85rem; font-weight: 400; }
h2 small { margin-left: .5rem; color: var(--faint); font-size: .85rem; font-weight: 400; }
#about { flex-basis: 100%; margin: 0; color: var(--faint); }
#lost {
  margin: 1rem 0 0; padding: .5rem 1rem; border: 1px solid var(--bad); border-radius: .5rem;
  color: var(--bad);
}
body.stale main { opacity: .45; }
.card {
  overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
}
#figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem;
  margin-top: 1.5rem;
}
.figure { padding: .75rem 1rem .5rem; }
.figure b { display: block; font-size: 1.5rem; font-weight: 600; letter-spacing: -.02em; }
.figure span { color: var(--faint); font-size: .85rem; }
.figure svg { display: block; width: 100%; height: 2rem; margin-top: .25rem; }
.figure polyline {
  fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke;
}
table { width: 100%; border-collapse: collapse; white-space: nowrap; }
th, td { padding: .45rem 1rem; text-align: left; border-top: 1px solid var(--line); }
thead th {
  border-top: 0; color: var(--faint); font-size: .75rem; font-weight: 500; letter-spacing: .04em;
  text-transform: uppercase;
}
td.reason { width: 100%; color: var(--faint); white-space: normal; min-width: 12rem; }
td.counts { white-space: normal; min-width: 8rem; }
td.name { font-weight: 600; }
td code { color: var(--faint); font: inherit; }
.pill, .state { display: inline-flex; align-items: center; gap: .4rem; color: var(--tone); }
.pill { padding: 0 .6rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .85rem; }
.state::before, .pill::before {
  content: ''; width: .55rem; height: .55rem; border-radius: 50%; background: currentColor;
}
.good { --tone: var(--good); } .warn { --tone: var(--warn); }
.bad { --tone: var(--bad); } .idle { --tone: var(--idle); }
.load {
  display: inline-block; width: 5rem; height: .35rem; margin-left: .5rem;
  vertical-align: .1em; overflow: hidden; border-radius: 1rem; background: var(--line);
}
.load i { display: block; height: 100%; background: var(--accent); }
footer { margin: 2rem 0 0; color: var(--faint); font-size: .85rem; }
a { color: inherit; }
`;
