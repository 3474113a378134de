/** Colours of the parts of memory: Okabe and Ito's set, which colour-blind readers tell apart, in order of use. */
export const partColours = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#8a7d00",
  "#7f7f7f",
] as const;

/** The whole style of the page: no font, picture or script comes from elsewhere. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1d232a; --quiet: #5a6572; --line: #d5dbe1; --panel: #f5f7f9;
  --accent: #0b5cad; --second: #b65c00; --free: #e6eaee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181d; --text: #e6eaee; --quiet: #9fabb8; --line: #343c46; --panel: #1c2229;
    --accent: #6db3f2; --second: #f0a85c; --free: #2a323b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 74rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
a { color: var(--accent); }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
p { margin: .35rem 0; max-width: 60rem; }
.quiet { color: var(--quiet); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; }
.facts div { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem; }
.facts dt { color: var(--quiet); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.2rem; font-weight: 600; overflow-wrap: anywhere; }
.facts small { display: block; font-size: .82rem; font-weight: 400; color: var(--quiet); }
.bar { display: flex; height: 1.9rem; background: var(--free); border-radius: .3rem; overflow: hidden; position: relative; }
.bar span { display: block; height: 100%; border-right: 1px solid var(--ground); }
.limit { position: absolute; top: 0; bottom: 0; width: 0; border-left: 2px dashed var(--text); }
.gpu { display: grid; grid-template-columns: 4.5rem 1fr; gap: .75rem; align-items: center; margin: .35rem 0; }
.swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .45rem; vertical-align: -.05rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); font-size: .88rem; padding: .2rem 0 .4rem; max-width: calc(100vw - 2.5rem); }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--quiet); font-weight: 600; font-size: .85rem; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.name { white-space: nowrap; }
td.why { color: var(--quiet); min-width: 22rem; }
tbody tr.chosen { background: var(--panel); }
tbody th { font-weight: 600; white-space: nowrap; }
.price { display: block; min-width: 7rem; }
.price i { display: block; height: .5rem; border-radius: .2rem; margin: .15rem 0; background: var(--accent); }
.price i.sagemaker { background: var(--second); }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: .4rem; padding: .1rem .9rem; }
summary { cursor: pointer; padding: .45rem 0; font-weight: 600; }
.mind { border-left: 4px solid var(--second); padding: .4rem .8rem; background: var(--panel); margin: .5rem 0; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .75rem; color: var(--quiet); font-size: .88rem; }
`;
