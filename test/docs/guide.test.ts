import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import { makeReport } from "../../components/plan-report/make-report.ts";
import { whyUnserved } from "../../components/sizing/usual-engine.ts";
import { runBerth } from "../../scripts/cli/run-berth.ts";

const pages = ["README.md", "docs/guide.md"].map((page) =>
  readFileSync(new URL(`../../${page}`, import.meta.url), "utf8"),
);

/** The console blocks of the pages: a command, and lines of its output. */
const blocks = [...pages.join("\n").matchAll(/```console\n\$ berth (.*)\n([\s\S]*?)```/g)].map(
  ([, command = "", lines = ""]) => ({ command, lines: lines.trimEnd().split("\n") }),
);

/** A command line as a shell takes it apart. */
function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain ?? "",
  );
}

const catalogue = loadCatalogue();

/** What a row of the guide's table of models has to say. */
function modelRow(model: string): readonly string[] {
  const report = (precision: "native" | "int4") =>
    makeReport(
      { ...{ model, precision, env: "staging", region: "us-east-1" }, spot: false, leaseHours: 10 },
      catalogue,
    );
  const { ladder, engine = "", commercialUse } = report("native");
  const [chosen] = ladder;
  const gib = (precision: "native" | "int4") => {
    const { totalMiB = NaN } = report(precision).ladder[0]?.demand ?? {};
    const gpus = report(precision).ladder[0]?.gpuCount ?? 1;
    return `${((totalMiB * gpus) / 1024).toFixed(0)} GiB`;
  };
  const isServed = whyUnserved(findModel(model, catalogue)) === undefined;
  return [
    ...[model, gib("native"), chosen?.instanceType ?? "", `$${chosen?.hourly.totalUsd.toFixed(2)}`],
    ...[engine === "diffusers" ? "-" : gib("int4"), commercialUse ?? "?"],
    isServed ? engine : "nothing here",
  ];
}

describe("the README and docs/guide.md", () => {
  it("has commands to hold it to", () => {
    assert.ok(blocks.length >= 8);
  });

  it("has a table of models as the plan has them", () => {
    const [, table = ""] = /\| model .*\n\| -.*\n((?:\|.*\n)+)/.exec(pages[1] ?? "") ?? [];
    const rows = table.trim().split("\n");
    assert.ok(rows.length >= 12);
    for (const row of rows) {
      const cells = row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim());
      assert.deepEqual(cells, modelRow(cells[0] ?? ""));
    }
  });

  for (const { command, lines } of blocks) {
    it(`quotes what this says: berth ${command}`, async () => {
      let said = "";
      const take = (text: string): void => {
        said += text;
      };
      const code = await runBerth(words(command), { out: take, err: take, interactive: false });
      assert.equal(code, 0, said);
      const all = said.split("\n").map((line) => line.trimEnd());
      for (const line of lines) assert.ok(all.includes(line), `not said: ${line}\n${said}`);
    });
  }
});
