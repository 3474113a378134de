import { groupings, sumBy, totalUsd, type Grouping, type LedgerLine } from "./ledger.ts";

const [width, height, left, bottom] = [880, 300, 70, 40];

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function usd(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

/** Bars of one colour with a gap, a line for the scale, and a title each that a pointer or a screen reader finds. */
function bars(rows: readonly { readonly name: string; readonly usd: number }[]): string {
  const most = Math.max(...rows.map((row) => row.usd), 0.01);
  const step = (width - left) / Math.max(rows.length, 1);
  const scale = [0, 0.5, 1].map((part) => {
    const y = height - bottom - part * (height - bottom - 20);
    return `<line x1="${left}" x2="${width}" y1="${y}" y2="${y}" class="scale"/><text x="${left - 8}" y="${y + 4}" text-anchor="end">${usd(part * most)}</text>`;
  });
  const each = rows.map((row, index) => {
    const tall = (row.usd / most) * (height - bottom - 20);
    const x = left + index * step + step * 0.1;
    const label =
      rows.length <= 16 || index % Math.ceil(rows.length / 16) === 0
        ? `<text x="${x + step * 0.4}" y="${height - bottom + 16}" text-anchor="middle">${escaped(row.name.slice(-10))}</text>`
        : "";
    return `<rect x="${x.toFixed(1)}" y="${(height - bottom - tall).toFixed(1)}" width="${(step * 0.8).toFixed(1)}" height="${tall.toFixed(1)}"><title>${escaped(row.name)}: ${usd(row.usd)}</title></rect>${label}`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Cost a day in USD; the table below has the same figures">${[...scale, ...each].join("")}</svg>`;
}

function table(lines: readonly LedgerLine[], by: Grouping): string {
  const rows = sumBy(lines, by).map(
    ({ name, usd: amount }) => `<tr><td>${escaped(name)}</td><td>${usd(amount)}</td></tr>`,
  );
  return `<h2>By ${by}</h2><table><thead><tr><th scope="col">${by}</th><th scope="col">USD</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

/** A ledger as one HTML file that needs nothing else: a chart of the days, and a table for each grouping. */
export function chartHtml(lines: readonly LedgerLine[], madeAt: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>berth: cost</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}svg{width:100%;height:auto}svg text{font-size:12px;fill:#444}rect{fill:#1f6feb}.scale{stroke:#ccc}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #ddd}td:last-child,th:last-child{text-align:right;font-variant-numeric:tabular-nums}@media(prefers-color-scheme:dark){body{color:#eee;background:#111}svg text{fill:#bbb}rect{fill:#58a6ff}.scale,td,th{stroke:#333;border-color:#333}}</style></head>
<body><h1>${usd(totalUsd(lines))}</h1><p>Estimate by the prices at launch, until ${escaped(madeAt)}. Transfer and requests are not in it.</p>
${bars(sumBy(lines, "day"))}
${groupings.map((by) => table(lines, by)).join("\n")}
</body></html>
`;
}
