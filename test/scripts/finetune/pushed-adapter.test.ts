import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { UserError } from "../../../components/user-error.ts";
import type { Terminal } from "../../../scripts/adapters/terminal.ts";
import { adapterSettings, pushedAdapter } from "../../../scripts/finetune/pushed-adapter.ts";
import { parseSettings } from "../../../stacks/settings.ts";
import { goodConfig } from "../../support/builders.ts";

const model = findModel("qwen2.5-7b", loadShippedCatalogue());
const terminal = { say: () => undefined } as unknown as Terminal;

function stackOf(change: Readonly<Record<string, unknown>> = {}) {
  const settings = parseSettings({ stack: "dev", config: { ...goodConfig, ...change } });
  return { settings, model, cloud: undefined, prefix: "qwen2.5-7b/" };
}

describe("An adapter that is pushed to be served beside its model", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-adapter-"));
    write({});
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(change: object): void {
    const config = { peft_type: "LORA", r: 24, base_model_name_or_path: "Qwen/Qwen2.5-7B" };
    writeFileSync(join(folder, "adapter_config.json"), JSON.stringify({ ...config, ...change }));
    writeFileSync(join(folder, "adapter_model.safetensors"), "weights");
  }

  const refused = (change: Readonly<Record<string, unknown>>, name: string | undefined) =>
    pushedAdapter(folder, name, stackOf(change), terminal).then(
      () => assert.fail("it was taken"),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        return [error.message, ...error.problems, error.hint].join("\n");
      },
    );

  it("gets a place of its own for each content", async () => {
    const one = await pushedAdapter(folder, "acme", stackOf(), terminal);
    assert.match(one.stack.prefix, /^adapters\/qwen2\.5-7b\/acme\/[0-9a-f]{8}\/$/);
    assert.equal(one.folder, folder);
    writeFileSync(join(folder, "adapter_model.safetensors"), "others");
    const other = await pushedAdapter(folder, "acme", stackOf(), terminal);
    assert.notEqual(other.stack.prefix, one.stack.prefix);
  });

  it("leaves the others theirs, with the rank that was reserved for them", () => {
    const other = "other=adapters/qwen2.5-7b/other/00000000/";
    const acme = { name: "acme", prefix: "adapters/qwen2.5-7b/acme/3f2a91c0/", rank: 8 };
    const after = (change: Readonly<Record<string, unknown>>) =>
      adapterSettings(stackOf(change).settings, acme);
    const own = `acme=${acme.prefix}`;
    assert.deepEqual(after({}), { "berth:adapters": own, "berth:adapterRank": 8 });
    assert.deepEqual(after({ "berth:adapters": `acme=older/, ${other}` }), {
      "berth:adapters": `${other}, ${own}`,
      "berth:adapterRank": 16,
    });
    const high = { "berth:adapters": other, "berth:adapterRank": 64 };
    assert.equal(after(high)["berth:adapterRank"], 64);
  });

  it("is refused with all that keeps it from being served", async () => {
    write({ r: 1024, use_dora: true });
    rmSync(join(folder, "adapter_model.safetensors"));
    const text = await refused({ "berth:engine": "transformers" }, "qwen2.5-7b");
    for (const part of [
      /serves by transformers, and adapters by vLLM/,
      /--as qwen2\.5-7b: that is the model itself/,
      /DoRA/,
      /rank is 1024/,
      /adapter_model\.safetensors is missing/,
      /push job:/,
    ]) {
      assert.match(text, part);
    }
    const endpoint = { "berth:target": "sagemaker", "berth:endpointMode": "realtime" };
    assert.match(await refused(endpoint, "acme"), /is no GPU host/);
    write({});
    const entries = Array.from({ length: 32 }, (_, index) => `a${index}=a/${index}/`);
    const full = { "berth:adapters": entries };
    assert.match(await refused(full, "acme"), /berth:adapters names 32 already/);
    await pushedAdapter(folder, "a7", stackOf(full), terminal);
  });

  it("has to be there, and over the stack's model", async () => {
    const job = join(folder, "job");
    mkdirSync(job);
    const facts = { schemaVersion: 1, modelId: "llama-2-7b", baseModel: "o/m", gated: false };
    writeFileSync(join(job, "job.json"), JSON.stringify(facts));
    for (const name of ["run.sh", "train.py", "training.yaml", "requirements.txt"]) {
      writeFileSync(join(job, name), "");
    }
    await assert.rejects(pushedAdapter(job, "acme", stackOf(), terminal), /has no adapter on this/);
    const adapter = join(job, "output/adapter");
    mkdirSync(adapter, { recursive: true });
    writeFileSync(join(job, "output/finished.json"), "{}");
    writeFileSync(
      join(adapter, "adapter_config.json"),
      JSON.stringify({ peft_type: "LORA", r: 8 }),
    );
    writeFileSync(join(adapter, "adapter_model.safetensors"), "w");
    await assert.rejects(
      pushedAdapter(job, "acme", stackOf(), terminal),
      (error) =>
        error instanceof UserError &&
        error.problems.join().includes("trained over llama-2-7b, and dev serves qwen2.5-7b"),
    );
  });
});
