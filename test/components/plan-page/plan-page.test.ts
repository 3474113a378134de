import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { planPage } from "../../../components/plan-page/plan-page.ts";
import { parseOwnGpus } from "../../../components/own-machine/card.ts";
import { makeReport } from "../../../components/plan-report/make-report.ts";
import type { PlanReport } from "../../../components/plan-report/report.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { needs } from "../../support/tier.ts";

const catalogue = loadCatalogue();
const base: PlanRequest = {
  model: "llama-3.3-70b",
  env: "prod",
  region: "us-east-1",
  spot: false,
  leaseHours: undefined,
  concurrency: 4,
};
const own = { gpus: parseOwnGpus("2 x RTX 3090"), electricityUsdPerKwh: 0.17 };

function report(change: Partial<PlanRequest> = {}): PlanReport {
  return makeReport({ ...base, ...change }, catalogue, own);
}

describe("planPage", () => {
  it("has a bar for each GPU, every rung, every refusal and the steps to make it fit", () => {
    const made = report();
    const page = planPage(made);
    const bars = page.match(/class="bar" role="img"/g) ?? [];
    assert.equal(bars.length, made.ladder[0]?.gpuCount);
    for (const { instanceType } of [...made.ladder, ...made.rejected]) {
      assert.ok(page.includes(`<th scope="row">${instanceType}</th>`), instanceType);
    }
    assert.match(page, /To make it fit RTX 3090 24GB/);
  });

  it("asks nothing of a network", () => {
    const page = planPage(report());
    // A link to a licence's text loads nothing.
    const loaded = page.replaceAll(/<a href="https:[^"]*">/g, "");
    assert.doesNotMatch(loaded, /<(script|link|img|iframe)|src=|url\(|https?:\/\//i);
    assert.match(page, /Content-Security-Policy"\s+content="default-src 'none'/);
  });

  it("escapes what comes from names", () => {
    const page = planPage({ ...report(), modelId: '<b onclick="x">&' });
    assert.ok(page.includes("&lt;b onclick=&quot;x&quot;&gt;&amp;"));
    assert.ok(!page.includes("<b onclick"));
  });

  it("shows the own machine alone where no cloud type is allowed", () => {
    const small = { ...base, model: "qwen2.5-0.5b", maxHourlyUsd: 0.01 };
    const page = planPage(makeReport(small, catalogue, own));
    assert.match(page, /No cloud type that may be taken holds it/);
    assert.match(page, /it fits/);
    assert.equal((page.match(/class="bar" role="img"/g) ?? []).length, 2);
  });
});

/** Width and height of a PNG, from its header. */
function pngSize(path: string): readonly [number, number] {
  const bytes = readFileSync(path);
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

describe("planPage in Chromium", () => {
  let folder: string | undefined;
  before(function () {
    const there = spawnSync("chromium", ["--version"]).status === 0;
    needs(this, "chromium", there, "the command is not on the PATH");
    folder = mkdtempSync(join(tmpdir(), "berth-page-"));
    writeFileSync(inFolder("plan.html"), planPage(report()));
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  function inFolder(name: string): string {
    return join(folder ?? "", name);
  }

  function chromium(...flags: readonly string[]): string {
    const plain = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"];
    const profile = `--user-data-dir=${inFolder("profile")}`;
    const page = `file://${inFolder("plan.html")}`;
    const { status, stdout } = spawnSync("chromium", [...plain, profile, ...flags, page], {
      encoding: "utf8",
    });
    assert.equal(status, 0);
    return stdout;
  }

  it("is laid out: the parts of each bar fill it as the memory is filled, and nothing runs over", () => {
    // The page forbids scripts, so the layout is read from a copy that carries one of the test's own.
    const page = planPage(report()).replace(/<meta\s+http-equiv[^>]*>/, "");
    const measure = `<script>
      const bars = [...document.querySelectorAll(".bar")].map((bar) => ({
        width: bar.clientWidth,
        filled: [...bar.querySelectorAll("span")].reduce((sum, part) => sum + part.getBoundingClientRect().width, 0),
      }));
      const wide = [...document.querySelectorAll("body > *")].some((part) => part.scrollWidth > innerWidth);
      const result = { bars, wide, headings: document.querySelectorAll("h2").length };
      document.body.innerHTML = "<pre id=result>" + JSON.stringify(result) + "</pre>";
    </script>`;
    writeFileSync(inFolder("plan.html"), page.replace("</body>", `${measure}</body>`));
    const dom = chromium("--dump-dom", "--window-size=1200,900");
    const text = /<pre id="result">(.*?)<\/pre>/.exec(dom)?.[1] ?? "{}";
    const seen = JSON.parse(text) as {
      bars: { width: number; filled: number }[];
      wide: boolean;
      headings: number;
    };
    const [chosen] = report().ladder;
    assert.ok(chosen !== undefined);
    const share = chosen.demand.totalMiB / chosen.gpuMemoryMiB;
    assert.equal(seen.bars.length, chosen.gpuCount);
    for (const { width, filled } of seen.bars) {
      assert.ok(width > 500 && Math.abs(filled / width - share) < 0.01, `${filled} of ${width}`);
    }
    assert.equal(seen.wide, false);
    assert.ok(seen.headings >= 4);
  });

  it("can be looked at", () => {
    writeFileSync(inFolder("plan.html"), planPage(report()));
    const picture = inFolder("plan.png");
    chromium(`--screenshot=${picture}`, "--window-size=1200,1600");
    assert.deepEqual(pngSize(picture), [1200, 1600]);
    // A blank page of that size compresses to under 10 kB.
    assert.ok(statSync(picture).size > 50_000);
  });
});
