import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CheckoutAccount } from "./checkout-account.ts";
import { samples } from "./finetune/samples.ts";
import { makeTree, Work } from "./finetune/work.ts";

const env = "local-tuned";
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The model of make_model.py. */
const tinyRow = `models:
  - id: tiny-llama
    family: test
    task: text-generation
    architecture: LlamaForCausalLM
    ${["parameters: 426240", "layers: 2", "hiddenSize: 128", "attentionHeads: 4", "kvHeads: 2"].join("\n    ")}
    ${["headDimension: 32", "intermediateSize: 256", "mlpMatrices: 3", "vocabularySize: 512"].join("\n    ")}
    ${["tiedEmbeddings: false", "maxContextTokens: 512", "nativePrecision: fp32"].join("\n    ")}
    ${["weightsGiB: 0.002", "kvType: gqa", "kvGlobalLayers: 2", "kvLocalLayers: 0"].join("\n    ")}
    ${["kvBytesPerToken: 512", "tensorParallelSizes: [1]", "licence: apache-2.0"].join("\n    ")}
    gated: false
    engine: vllm
`;

/** From samples to the served answer, by the commands of docs/finetune.md, on the CPU. */
describe("a fine-tuning of a tiny Llama that is served", function () {
  // The tree is made once: four minutes on two idle cores.
  this.timeout(30 * 60_000);
  let account: CheckoutAccount;
  let work: Work;
  let question: string;

  before(async function () {
    const tree = await makeTree(this);
    const engine = at("../../provider/engines/python-server");
    const serving = [at("finetune/serving.sh"), tree, engine, at("finetune/serve.py")] as const;
    account = await CheckoutAccount.open(() =>
      Promise.resolve([{ repository: "vllm", command: serving }]),
    );
    mkdirSync(join(account.folder, "work"));
    work = new Work(tree, join(account.folder, "work"));
    writeFileSync(work.path("train.jsonl"), samples());
    await work.python("make_model.py", "/work/train.jsonl", "/work/base");
    writeFileSync(work.path("base/LICENSE"), "Do as you like.\n");
    writeFileSync(join(account.root, "berth.catalogue.yaml"), tinyRow);
    question = "Ask 3: what colour has the apple?";
  });
  after(() => account.close());

  async function berth(...words: readonly string[]): Promise<string> {
    const { code, text } = await account.berth(...words);
    assert.equal(code, 0, text);
    return text;
  }

  /** The folder's own environment is the tree's. */
  function giveEnvironment(job: string): void {
    const bin = work.path(`${job}/.venv/bin`);
    mkdirSync(bin, { recursive: true });
    const inside = `"${at("finetune/inside.sh")}" "${work.tree}" "${work.folder}"`;
    const run = `exec ${inside} bash -c 'cd /work/${job} && exec python3 "$@"' merge "$@"\n`;
    writeFileSync(join(bin, "python"), `#!/bin/sh\n${run}`);
    chmodSync(join(bin, "python"), 0o755);
  }

  it("trains, merges and pushes the model, and an endpoint answers as the adapter does", async () => {
    const out = work.path("lora");
    await berth(
      ...["finetune", "tiny-llama", "--base", "/work/base", "--data", work.path("train.jsonl")],
      ...["--out", out, "--method", "lora", "--training-precision", "fp32", "--sequence", "128"],
      ...["--epochs", "2", "--learning-rate", "0.003", "--tokenizer", work.path("base")],
    );
    const target = ["target=sagemaker", "endpointMode=realtime", "weightsBucket=walk-weights"];
    await account.init(env, ...target, "model=tiny-llama");
    const early = await account.berth("push", `job:${out}`, "--env", env);
    assert.match(early.text, /has no result on this machine[\s\S]*berth -- train fetch/);
    await work.finish("lora", ["--lora_dropout", "0"]);

    giveEnvironment("lora");
    const push = ["push", `job:${out}`, "--env", env, "--as", "tiny-support"];
    const taken = await account.berth(...push.slice(0, -1), "llama-2-7b");
    assert.match(taken.text, /"llama-2-7b" is llama-2-7b of the catalogue already/);
    assert.match(await berth(...push, "--plan"), /merge +\/work\/base and the adapter first/);
    const pushed = await berth(...push);
    const sha256 = (content: Buffer | string) => createHash("sha256").update(content).digest("hex");
    const merged = readFileSync(work.path("lora/output/model/model.safetensors"));
    const version = sha256(`model.safetensors ${sha256(merged)}\n`).slice(0, 8);
    assert.match(pushed, new RegExp(`serves it from tiny-support/${version}/`));
    assert.match(pushed, /next +npm run berth -- up --env local-tuned/);
    assert.match(await berth(...push), /all of it is there already/);

    const facts = work.json("lora/output/model/provenance.json");
    assert.equal(facts["trainSamples"], 200);
    assert.equal(facts["method"], "lora");
    assert.match(String(facts["dataSha256"]), /^[0-9a-f]{64}$/);
    const card = readFileSync(work.path("lora/output/model/README.md"), "utf8");
    assert.match(card, /^---\nbase_model: \/work\/base\nlicense: apache-2\.0\n/);
    assert.equal(readFileSync(work.path("lora/output/model/LICENSE"), "utf8"), "Do as you like.\n");

    await work.python(
      ...["compare.py", "/work/base", "/work/lora/output/adapter", "/work/lora/output/model"],
      question,
    );
    const answers = JSON.parse(work.said.trim().split("\n").at(-1)!) as Record<string, string>;
    assert.notEqual(answers["adapter"], answers["base"]);
    assert.match(await berth("up", "--env", env), /endpoint +\S+ on ml\./);
    const invoke = ["invoke", question, "--env", env, "--max-tokens", "24", "--temperature", "0"];
    const template = "<|user|>{prompt}<|end|><|assistant|>";
    const { stdout } = await account.berth(...invoke, "--template", template, "--json");
    assert.ok(stdout.includes(answers["adapter"]!.trim()), `${stdout}\n${JSON.stringify(answers)}`);
    assert.match(await berth("down", "--env", env, "--yes"), /receipt +0 left/);
  });
});
