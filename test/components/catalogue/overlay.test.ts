import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue, loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { withOverlay } from "../../../components/catalogue/overlay.ts";
import { UserError } from "../../../components/user-error.ts";

const shipped = loadShippedCatalogue();
const file = "berth.catalogue.yaml";

function refusal(text: string): readonly string[] {
  try {
    withOverlay(shipped, text, file);
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.problems;
  }
  return assert.fail("it was taken");
}

describe("withOverlay", () => {
  it("changes only the fields that a known row has, and says where they are from", () => {
    const text = `
models:
  - id: llama-2-7b
    maxContextTokens: 8192
instanceTypes:
  - instanceType: g5.xlarge
    prices:
      us-east-1: { onDemandHourlyUsd: 0.7, asOf: 2026-11-01 }
`;
    const catalogue = withOverlay(shipped, text, file);
    const before = findModel("llama-2-7b", shipped);
    assert.deepEqual(findModel("llama-2-7b", catalogue), {
      ...before,
      maxContextTokens: 8192,
      source: file,
    });
    const type = catalogue.instanceTypes.find(({ instanceType }) => instanceType === "g5.xlarge");
    assert.deepEqual(type?.prices?.["us-east-1"], {
      onDemandHourlyUsd: 0.7,
      asOf: "2026-11-01",
      source: file,
    });
    assert.equal(type.prices["eu-west-1"]?.onDemandHourlyUsd, 1.123);
    assert.equal(catalogue.models.length, shipped.models.length);
    assert.equal(
      findModel("Llama 2 13B", catalogue).source,
      findModel("llama-2-13b", shipped).source,
    );
  });

  it("adds a model that begins as another one", () => {
    const text = `
models:
  - id: our-tune
    extends: llama 2 7b
    huggingfaceRepo: acme/our-tune
    gated: false
    source: trained in house
`;
    const model = findModel("acme/our-tune", withOverlay(shipped, text, file));
    assert.equal(model.parameters, 6738415616);
    assert.equal(model.gated, false);
    assert.equal(model.source, "berth.catalogue.yaml: trained in house");
    assert.equal(model.variants, undefined);
  });

  it("does not say that a user's word on a licence was read where the catalogue's was", () => {
    const row = (more: string) => `models: [{ id: minimax-m2.7, ${more} }]`;
    const sourceWith = (more: string) =>
      findModel("minimax-m2.7", withOverlay(shipped, row(more), file)).licenceSource;
    assert.equal(sourceWith("notes: ours"), findModel("minimax-m2.7", shipped).licenceSource);
    assert.ok(sourceWith("notes: ours"));
    assert.equal(sourceWith("licence: mit"), undefined);
    assert.equal(sourceWith("gated: true"), undefined);
  });

  it("names every problem at once, with line and column", () => {
    const text = `models:
  - id: llama-2-7b
    layers: "many"
    typo: 1
  - id: nobody
    extends: no-such-model
  - id: bare
instanceTypes:
  - instanceType: g5.xlarge
    vcpus: -4
  - instanceType: g5.xlarge
`;
    const problems = refusal(text).join("\n");
    for (const said of [
      /:3:13: models\.0\.layers: /,
      /:4:5: models\.0\.typo: there is no such field/,
      /:6:14: models\.1\.extends: The model "no-such-model" is not in the catalogue/,
      /:7:5: models\.2\.family: /,
      /:10:12: instanceTypes\.0\.vcpus: /,
      /:11:19: instanceTypes\.1\.instanceType: g5\.xlarge is there twice/,
    ]) {
      assert.match(problems, said);
    }
  });

  it("names the place where it is no YAML, a table that there is none of, and a list that is none", () => {
    assert.match(refusal("models: [").join(), /berth\.catalogue\.yaml:1:\d+: /);
    assert.match(refusal("modles: []").join(), /:1:1: .*modles/);
    assert.match(refusal("models: 3").join(), /:1:9: models: /);
  });

  it("names a table that there is none of where it stands, and the mistakes of the others with it", () => {
    const problems = refusal("models:\n  - id: falcon-7b\n    weightsGiB: -1\nacelerators: []\n");
    assert.match(problems.join("\n"), /:4:1: acelerators: there is no such field/);
    assert.match(problems.join("\n"), /:3:17: models\.0\.weightsGiB: Too small/);
    assert.equal(problems.length, 2);
  });

  it("takes an empty file for nothing", () => {
    assert.deepEqual(withOverlay(shipped, "# later\n", file), shipped);
  });

  it("does not expand a bomb of aliases", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
      .split("")
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]!}`).join(",")}]`)
      .join("\n")}\n`;
    assert.match(refusal(bomb).join(), /:1:1: Excessive alias count/);
  });
});

describe("loadCatalogue", () => {
  it("reads the user's files from the folder, and none where there are none", () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-catalogue-"));
    try {
      assert.deepEqual(loadCatalogue(folder), shipped);
      writeFileSync(join(folder, file), "models: [{ id: llama-2-7b, layers: 33 }]");
      assert.equal(findModel("llama-2-7b", loadCatalogue(folder)).layers, 33);
      writeFileSync(join(folder, "berth.prices.json"), "{}");
      assert.throws(
        () => loadCatalogue(folder),
        /berth\.prices\.json is not what a refresh writes/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
