import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { asksForLicence } from "../../../components/catalogue/licence.ts";
import { loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { withOverlay } from "../../../components/catalogue/overlay.ts";
import { UserError } from "../../../components/user-error.ts";
import { tunedRow, withTunedRow } from "../../../scripts/finetune/tuned-row.ts";

const shipped = loadShippedCatalogue();
const llama = findModel("llama-3.1-8b", shipped);

describe("the row of a model that was trained", () => {
  const tuning = { base: llama, job: "support", version: "0a1b2c3d" };
  const name = "acme-support";

  it("has its base's shape and licence, and neither its repository nor its other names", () => {
    const { model } = withTunedRow("", name, tuning);
    assert.equal(model.parameters, llama.parameters);
    assert.equal(model.licence, llama.licence);
    assert.equal(model.gated, llama.gated);
    assert.equal(model.huggingfaceRepo, undefined);
    assert.match(model.source, /trained from llama-3\.1-8b by support, result 0a1b2c3d/);
  });

  it("counts as gated where no source says whether its base is", () => {
    const base = findModel("llama-1-7b", shipped);
    assert.equal(base.gated, undefined);
    const { model } = withTunedRow("", name, { ...tuning, base });
    assert.equal(asksForLicence(model), true);
  });

  it("leaves the rest of the file as it is, and is replaced by its next version", () => {
    const before = "# ours\nmodels:\n  - id: llama-3.1-8b # cheaper here\n    notes: mine\n";
    const { text } = withTunedRow(before, name, tuning);
    assert.ok(text.startsWith(before));
    const next = withTunedRow(text, name, { ...tuning, version: "ffffffff" });
    assert.equal(next.text, text.replace("0a1b2c3d", "ffffffff"));
    assert.equal(withTunedRow(text, name, tuning).text, text);
  });

  it("says the size of weights that were learnt in 32 bit", () => {
    const { model, text } = withTunedRow("", name, { ...tuning, weightsGiB: 29.92 });
    assert.deepEqual([model.weightsGiB, model.nativePrecision], [29.92, "fp32"]);
    const later = withTunedRow(text, name, { ...tuning, version: "ffffffff", weightsGiB: 30.1 });
    assert.equal(later.model.weightsGiB, 30.1);
    const adapter = withTunedRow(later.text, name, { ...tuning, version: "0a1b2c3d" });
    const { weightsGiB, nativePrecision } = llama;
    assert.deepEqual(
      [adapter.model.weightsGiB, adapter.model.nativePrecision],
      [weightsGiB, nativePrecision],
    );
    assert.equal(adapter.text, withTunedRow("", name, tuning).text);
  });

  it("leaves what was written while its weights were pushed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-tuned-row-"));
    const path = join(folder, "berth.catalogue.yaml");
    try {
      const first = tunedRow(name, tuning, folder);
      const second = tunedRow("acme-sales", { ...tuning, job: "sales" }, folder);
      await first.keep();
      await second.keep();
      const kept = readFileSync(path, "utf8");
      assert.match(kept, /id: acme-support\n[^]*id: acme-sales\n/);
      await first.keep();
      assert.equal(readFileSync(path, "utf8"), kept);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("begins as the user's own row where its base is one", () => {
    const own = `models:\n  - id: ours\n    extends: llama-3.1-8b\n    huggingfaceRepo: acme/ours\n    gated: false\n`;
    const base = findModel("ours", withOverlay(shipped, own, "file"));
    const { model } = withTunedRow(own, name, { ...tuning, base });
    assert.deepEqual([model.gated, model.huggingfaceRepo], [false, undefined]);
    assert.equal(model.layers, llama.layers);
  });

  it("refuses a name that is another model's, is read as one, or is none", () => {
    const refused = (asked: string, text = "") => {
      assert.throws(() => withTunedRow(text, asked, tuning), UserError, asked);
    };
    for (const asked of ["llama-2-7b", "llama2-7b", "sdxl", "Big Model", "-x", "a".repeat(64)]) {
      refused(asked);
    }
    refused("other", "models:\n  - id: other\n    extends: llama-2-7b\n");
    refused(name, "models: [");
  });
});
