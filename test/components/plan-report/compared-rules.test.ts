import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { explainLines } from "../../../components/plan-report/explain-lines.ts";
import { makeReport } from "../../../components/plan-report/make-report.ts";
import type { PlanOptions } from "../../../scripts/plan/plan-flags.ts";
import { readPlanInputs } from "../../../scripts/plan/plan-inputs.ts";

const catalogue = loadCatalogue();
const page = readFileSync(new URL("../../../docs/plan.md", import.meta.url), "utf8");

/** Rows of the table of docs/plan.md: the words of a command, and the figures beside them. */
const rows = [
  ...page.matchAll(/^\| `([a-z0-9.-]+(?: --[^`]+)?)` +\|((?: +(?:[\d.]+|none) +\|){5})/gm),
].map(([, words = "", figures = ""]) => ({
  words: words.split(" "),
  figures: figures.split("|").map((figure) => figure.trim()),
}));

function optionsOf(words: readonly string[]): PlanOptions {
  const pairs = words.flatMap((word, index) => {
    if (!word.startsWith("--")) return [];
    const name = word.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return [[name, words[index + 1]] as const];
  });
  return { env: "prod", ...Object.fromEntries(pairs) };
}

async function reportOf([model, ...flags]: readonly string[]) {
  const { request } = await readPlanInputs(model, optionsOf(flags), catalogue);
  return makeReport(request, catalogue);
}

describe("Other rules beside a plan", () => {
  it("are of ten cases on the page", () => {
    assert.equal(rows.length, 10);
  });

  for (const { words, figures } of rows) {
    it(`say of ${words.join(" ")} what the page says`, async () => {
      const { otherRules } = await reportOf(words);
      const said = (rule: string) => otherRules.find((each) => each.rule === rule)?.gib.toFixed(1);
      const names = ["weights x 1.2", "accelerate", "KAITO", "hf-mem"];
      const found = [otherRules[0]?.oursGiB.toFixed(1), ...names.map(said)];
      assert.deepEqual(
        found.map((figure) => figure ?? "none"),
        figures.slice(0, 5),
      );
    });
  }

  it("have what they leave out in the arithmetic, which adds up to the difference", async () => {
    const report = await reportOf(["llama-3.1-8b", "--context", "8k", "--concurrency", "16"]);
    const text = explainLines(report).join("\n");
    const [, total, cache, rest] =
      /this plan +([\d.]+) GiB\n.*\n {2}accelerate +[\d.]+ GiB {2}without ([\d.]+) GiB of cache and ([\d.]+) GiB/.exec(
        text,
      ) ?? [];
    const accelerate = report.otherRules.find(({ rule }) => rule === "accelerate")?.gib ?? 0;
    assert.ok(Math.abs(accelerate + Number(cache) + Number(rest) - Number(total)) < 0.15, text);
  });

  it("count the bits that the name of a GGUF file type says", async () => {
    const accelerateGiB = async (precision: string) => {
      const { otherRules } = await reportOf(["llama-3.1-8b", "--precision", precision]);
      return otherRules.find(({ rule }) => rule === "accelerate")?.gib ?? 0;
    };
    const ofSixteen = await accelerateGiB("bf16");
    assert.equal(await accelerateGiB("q8_0"), ofSixteen / 2);
    assert.equal(await accelerateGiB("q4_k_m"), ofSixteen / 4);
  });

  it("are none of a model that makes images", async () => {
    const report = await reportOf(["sdxl"]);
    assert.deepEqual(report.otherRules, []);
    assert.ok(!explainLines(report).join("\n").includes("other rules"));
  });
});
