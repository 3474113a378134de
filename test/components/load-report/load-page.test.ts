import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPage } from "../../../components/load-report/load-page.ts";
import { loadReport } from "../../../components/load-report/load-report.ts";
import { needs } from "../../support/tier.ts";
import { measured } from "./samples.ts";

describe("loadPage", () => {
  it("asks nothing of a network, and escapes what comes from names", () => {
    const made = measured();
    const target = { ...made.target, model: '<b onclick="x">&' };
    const page = loadPage(loadReport({ ...made, target }));
    assert.doesNotMatch(page, /<(script|link|img|iframe)|src=|url\(|https?:\/\//i);
    assert.match(page, /Content-Security-Policy"\s+content="default-src 'none'/);
    assert.ok(page.includes("&lt;b onclick=&quot;x&quot;&gt;&amp;"));
  });

  it("says so where nothing was measured, and draws one rung as well", () => {
    const made = measured();
    assert.match(loadPage(loadReport({ ...made, samples: [] })), /Nothing was measured/);
    const one = loadPage(loadReport({ ...made, samples: made.samples.slice(0, 1) }));
    assert.doesNotMatch(one, /NaN|Infinity/);
  });
});

describe("loadPage in Chromium", () => {
  let folder = "";
  before(function () {
    const there = spawnSync("chromium", ["--version"]).status === 0;
    needs(this, "chromium", there, "the command is not on the PATH");
    folder = mkdtempSync(join(tmpdir(), "berth-page-"));
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });

  it("draws every point inside its chart, at the height of its value, and runs over nowhere", () => {
    const report = loadReport(measured());
    // The page forbids scripts, so the layout is read from a copy that carries one of the test's own.
    const page = loadPage(report).replace(/<meta\s+http-equiv[^>]*>/, "");
    const measure = `<script>
      const charts = [...document.querySelectorAll("svg")].map((svg) => {
        const box = svg.getBoundingClientRect();
        const dots = [...svg.querySelectorAll("circle")].map((dot) => dot.getBoundingClientRect());
        const texts = [...svg.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
        const inside = (part) => part.left >= box.left && part.right <= box.right && part.top >= box.top && part.bottom <= box.bottom;
        return { dots: dots.map(({ x, y }) => [x - box.left, y - box.top]), inside: [...dots, ...texts].every(inside) };
      });
      const wide = [...document.querySelectorAll("body > *")].some((part) => part.scrollWidth > innerWidth);
      const ink = getComputedStyle(document.querySelector("polyline.first")).stroke;
      document.body.innerHTML = "<pre id=result>" + JSON.stringify({ charts, wide, ink }) + "</pre>";
    </script>`;
    const path = join(folder, "bench.html");
    writeFileSync(path, page.replace("</body>", `${measure}</body>`));
    const dom = chromium(path, "--dump-dom", "--window-size=1200,900");
    const seen = JSON.parse(/<pre id="result">(.*?)<\/pre>/.exec(dom)?.[1] ?? "{}") as {
      charts: { dots: [number, number][]; inside: boolean }[];
      wide: boolean;
      ink: string;
    };
    assert.equal(seen.charts.length, 5);
    assert.equal(seen.wide, false);
    assert.notEqual(seen.ink, "none");
    assert.deepEqual(
      seen.charts.map(({ dots, inside }) => [dots.length, inside]),
      [4, 12, 12, 12, 4].map((dots) => [dots, true]),
    );
    const [throughput] = seen.charts;
    const values = report.rungs.map((rung) => rung.answerTokensPerSecond);
    const heights = throughput!.dots.map(([, y]) => y);
    // A straight line through the first and the last value tells where the others have to stand.
    const perValue = (heights[3]! - heights[0]!) / (values[3]! - values[0]!);
    for (const [index, height] of heights.entries()) {
      const expected = heights[0]! + perValue * (values[index]! - values[0]!);
      assert.ok(Math.abs(height - expected) < 1, `${height} and ${expected}`);
    }
    assert.ok(perValue < 0);
    const picture = join(folder, "bench.png");
    writeFileSync(path, loadPage(report));
    chromium(path, `--screenshot=${picture}`, "--window-size=1200,1500");
    // A blank page of that size compresses to under 10 kB.
    assert.ok(statSync(picture).size > 50_000);
  });

  function chromium(path: string, ...flags: readonly string[]): string {
    const plain = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"];
    const profile = `--user-data-dir=${join(folder, "profile")}`;
    const all = [...plain, profile, ...flags, `file://${path}`];
    const { status, stdout } = spawnSync("chromium", all, { encoding: "utf8" });
    assert.equal(status, 0);
    return stdout;
  }
});
