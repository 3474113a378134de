/** The style of the dashboard: no font, picture or script comes from elsewhere. Contrasts are at least 4.5 to 1 in both schemes. */
export const dashboardStyle = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1d232a; --quiet: #55606c; --line: #cfd6dd; --panel: #f5f7f9;
  --accent: #0b5cad; --good: #0b6b3a; --busy: #0b5cad; --mind: #8a4b00; --bad: #b3201d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181d; --text: #e6eaee; --quiet: #a6b2bf; --line: #3a434e; --panel: #1c2229;
    --accent: #6db3f2; --good: #6fd09a; --busy: #6db3f2; --mind: #f0b25c; --bad: #ff8f87;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 74rem; background: var(--ground); color: var(--text);
  overflow-wrap: anywhere; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
a { color: var(--accent); }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .5rem 1rem; z-index: 1; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.15rem; margin: 0; }
p { margin: .35rem 0; max-width: 60rem; }
.quiet, small { color: var(--quiet); }
.connection { font-size: .9rem; color: var(--quiet); }
.lost { color: var(--bad); font-weight: 600; }
.stack { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.1rem; margin: 0 0 1rem; }
.stack header { display: flex; flex-wrap: wrap; gap: .25rem .9rem; align-items: baseline; }
.tone { font-weight: 600; }
.good { color: var(--good); } .busy { color: var(--busy); } .mind { color: var(--mind); } .bad { color: var(--bad); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(10.5rem, 100%), 1fr)); gap: .6rem; margin: .8rem 0; padding: 0; }
.facts div { background: var(--panel); border-radius: .4rem; padding: .5rem .75rem; }
.facts dt { color: var(--quiet); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.08rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts small { display: block; font-size: .82rem; font-weight: 400; }
.facts ul { margin: 0; padding-left: 1.1rem; font-size: .95rem; font-weight: 400; }
.facts meter, .facts progress, td progress { width: 100%; height: .8rem; }
.attention { margin: .6rem 0; padding: .5rem .75rem .5rem 2rem; border-left: 4px solid var(--mind); background: var(--panel); }
.facts time { display: inline-block; max-width: 100%; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); font-size: .9rem; padding: .2rem 0 .4rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
td.words { min-width: 11rem; overflow-wrap: anywhere; }
thead th { color: var(--quiet); font-size: .85rem; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 7rem; }
details { margin: .4rem 0; border: 1px solid var(--line); border-radius: .4rem; padding: .05rem .8rem; }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .75rem; color: var(--quiet); font-size: .9rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
