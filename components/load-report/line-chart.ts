import { html, none, type Html } from "../plan-page/html.ts";
import type { Range } from "../range.ts";

/** A line of a chart; a point without a value is left out. */
export interface Series {
  readonly name: string;
  /** A colour of the page's style: the first, second or third. */
  readonly tone: "first" | "second" | "third";
  readonly values: readonly (number | undefined)[];
}

/** A chart over the rungs of a ladder. */
export interface LineChart {
  readonly title: string;
  /** Of the values. */
  readonly unit: string;
  readonly loads: readonly number[];
  readonly loadUnit: string;
  readonly series: readonly Series[];
  /** An area behind the lines, such as an estimate. */
  readonly band?: { readonly name: string; readonly ranges: readonly (Range | undefined)[] };
  /** A line across, such as a limit. */
  readonly limit?: number | undefined;
  /** The load that is marked. */
  readonly marked?: number | undefined;
  readonly show: (value: number) => string;
}

const [width, height] = [460, 260];
const [left, right, top, bottom] = [64, 14, 14, 44];
/** Room above the highest line, so that it is not taken for the frame. */
const headroom = 1.08;
/** A band that reaches further than so many times the highest line is cut off. */
const mostTimes = 3;

/** The next 1, 2 or 5 times a power of ten. */
function niceStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((times) => times * power >= value) ?? 10;
  return step * power;
}

function topOf({ series, band, limit }: LineChart): number {
  const measured = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const others = [limit ?? 0, ...(band?.ranges ?? []).map((range) => range?.high ?? 0)];
  const near = others.filter((value) => value <= measured * mostTimes);
  return Math.max(measured, ...near, Number.MIN_VALUE) * headroom;
}

interface Scale {
  readonly x: (index: number) => string;
  readonly y: (value: number) => string;
}

/** The rungs stand at equal distances, which for doubled loads is a logarithmic scale. */
function scaleOf(count: number, most: number): Scale {
  const step = (width - left - right) / Math.max(1, count - 1);
  const start = count === 1 ? (width + left - right) / 2 : left;
  const tall = height - top - bottom;
  return {
    x: (index) => (start + index * step).toFixed(1),
    y: (value) => (height - bottom - (Math.min(value, most) / most) * tall).toFixed(1),
  };
}

function pointsOf(values: readonly (number | undefined)[], { x, y }: Scale): string[] {
  return values.flatMap((value, index) => (value === undefined ? [] : [`${x(index)},${y(value)}`]));
}

function bandMarkup(chart: LineChart, scale: Scale): Html {
  const ranges = chart.band?.ranges ?? [];
  const upper = pointsOf(
    ranges.map((range) => range?.high),
    scale,
  );
  const lower = pointsOf(
    ranges.map((range) => range?.low),
    scale,
  );
  if (upper.length < 2) return none;
  return html`<polygon class="band" points="${[...upper, ...lower.toReversed()].join(" ")}" />`;
}

function seriesMarkup({ name, tone, values }: Series, chart: LineChart, scale: Scale): Html {
  const dots = values.flatMap((value, index) =>
    value === undefined
      ? []
      : [
          html`<circle class="${tone}" cx="${scale.x(index)}" cy="${scale.y(value)}" r="3.5">
            <title>
              ${name}, ${chart.loads[index] ?? 0} ${chart.loadUnit}: ${chart.show(value)}
            </title>
          </circle>`,
        ],
  );
  return html`<polyline class="${tone}" points="${pointsOf(values, scale).join(" ")}" />${dots}`;
}

function axes(chart: LineChart, scale: Scale, most: number): Html {
  const step = niceStep(most / 4);
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
  const lines = ticks.map(
    (value) =>
      html`<line
          class="grid"
          x1="${left}"
          x2="${width - right}"
          y1="${scale.y(value)}"
          y2="${scale.y(value)}"
        />
        <text x="${left - 8}" y="${scale.y(value)}" dy="4" text-anchor="end"
          >${chart.show(value)}</text
        >`,
  );
  const loads = chart.loads.map(
    (load, index) =>
      html`<text
        class="${load === chart.marked ? "marked" : "load"}"
        x="${scale.x(index)}"
        y="${height - bottom + 17}"
        text-anchor="middle"
        >${load}</text
      >`,
  );
  return html`${lines} ${loads}
    <text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle"
      >${chart.loadUnit}</text
    >`;
}

/** What is said of a band that does not fit in: without it the legend would promise what nobody sees. */
function beyond({ band, show }: LineChart, most: number): string {
  const ranges = (band?.ranges ?? []).filter((range) => range !== undefined);
  const high = Math.max(...ranges.map((range) => range.high));
  if (high <= most) return "";
  const low = Math.min(...ranges.map((range) => range.low));
  return low > most
    ? `: ${show(low)} to ${show(high)}, above this chart`
    : `, up to ${show(high)}, cut off here`;
}

function legend(chart: LineChart, most: number): Html {
  const { series, band, limit, show } = chart;
  const lines = series.map(({ name, tone }) => html`<span class="key ${tone}">${name}</span>`);
  const area = band?.ranges.some((range) => range !== undefined)
    ? html`<span class="key band">${band.name}${beyond(chart, most)}</span>`
    : none;
  const across =
    limit === undefined ? none : html`<span class="key limit-line">limit ${show(limit)}</span>`;
  return html`<p class="legend">${lines} ${area} ${across}</p>`;
}

/** A chart as inline SVG; the figures are in the table of its page as well. Nothing where nothing was measured. */
export function lineChart(chart: LineChart): Html {
  const { title, unit, series, loads, limit } = chart;
  if (series.every(({ values }) => values.every((value) => value === undefined))) return none;
  const most = topOf(chart);
  const scale = scaleOf(loads.length, most);
  const across =
    limit === undefined || limit > most
      ? none
      : html`<line
          class="limit-line"
          x1="${left}"
          x2="${width - right}"
          y1="${scale.y(limit)}"
          y2="${scale.y(limit)}"
        />`;
  return html`<figure>
    <figcaption>${title} <span class="quiet">${unit}</span></figcaption>
    <svg
      viewBox="0 0 ${width} ${height}"
      role="img"
      aria-label="${title}; the table below has the same figures"
    >
      ${axes(chart, scale, most)} ${bandMarkup(chart, scale)} ${across}
      ${series.map((one) => seriesMarkup(one, chart, scale))}
    </svg>
    ${legend(chart, most)}
  </figure>`;
}

/** What the charts add to the page's style. */
export const chartStyle = `
:root { --third: #7a3ea8; }
@media (prefers-color-scheme: dark) { :root { --third: #c79bec; } }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem; }
figcaption { font-weight: 600; }
figcaption .quiet { font-weight: 400; }
table { font-size: .88rem; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--quiet); font-size: 11.5px; }
svg text.marked { fill: var(--text); font-weight: 700; }
svg .grid { stroke: var(--line); }
svg polyline { fill: none; stroke-width: 2; }
svg polyline.first { stroke: var(--accent); } svg circle.first { fill: var(--accent); }
svg polyline.second { stroke: var(--second); stroke-dasharray: 7 3; } svg circle.second { fill: var(--second); }
svg polyline.third { stroke: var(--third); stroke-dasharray: 2 3; } svg circle.third { fill: var(--third); }
svg .band { fill: var(--accent); opacity: .16; }
svg .limit-line { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 4 4; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; color: var(--quiet); margin: 0; }
.key::before { content: ""; display: inline-block; width: 1.3rem; margin-right: .4rem; vertical-align: .25rem; border-top: 2px solid var(--accent); }
.key.second::before { border-top: 2px dashed var(--second); }
.key.third::before { border-top: 2px dotted var(--third); }
.key.band::before { border: 0; height: .7rem; vertical-align: -.05rem; background: var(--accent); opacity: .25; }
.key.limit-line::before { border-top: 2px dashed var(--text); }
`;
