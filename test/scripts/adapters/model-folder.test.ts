import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../../components/user-error.ts";
import { readModel } from "../../../scripts/adapters/model-folder.ts";
import { ggufHead, type GgufTensor, type GgufValue } from "../../../scripts/demo/model/gguf.ts";

const llama = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  num_hidden_layers: 2,
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 128,
  vocab_size: 100,
  max_position_embeddings: 512,
  dtype: "float16",
};

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
}
const bytesOf: Readonly<Record<string, number>> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  I32: 4,
  U8: 1,
  F8_E4M3: 1,
};

/** A safetensors file of zeros. */
function safetensors(tensors: Readonly<Record<string, Tensor>>): Buffer {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape }]) => {
    const begin = offset;
    offset += shape.reduce((product, side) => product * side, bytesOf[dtype] ?? 1);
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const;
  });
  const header = Buffer.from(
    JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(offset)]);
}

describe("readModel", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-model-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(files: Readonly<Record<string, unknown>>): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      const plain = typeof content === "string" || Buffer.isBuffer(content);
      writeFileSync(path, plain ? content : JSON.stringify(content));
    }
  }

  async function refusal(path = folder): Promise<string> {
    try {
      await readModel(path);
    } catch (error) {
      assert.ok(error instanceof UserError, String(error));
      return [error.message, ...error.problems].join("\n");
    }
    return assert.fail("it was taken");
  }

  it("takes a configuration alone, by its folder and by its path", async () => {
    write({ "config.json": llama, "other.json": llama });
    const model = await readModel(folder);
    assert.equal(
      model.parameters,
      2 * (4096 + 2 * 2048 + 4096 + 3 * 64 * 128 + 128) + 64 + 2 * 6400,
    );
    assert.equal(model.parametersBasis, "formula-from-config");
    assert.equal(model.kvBytesPerToken, 2 * 2 * 2 * 16 * 2);
    assert.equal((await readModel(join(folder, "config.json"))).parameters, model.parameters);
    assert.equal((await readModel(join(folder, "other.json"))).id, "other");
  });

  it("counts parameters from the headers where there are weights", async () => {
    const tensors = {
      "model.layers.0.a.weight": { dtype: "F16", shape: [64, 10] },
      "model.layers.2.mtp.weight": { dtype: "F16", shape: [64, 3] },
      "model.layers.0.self_attn.rotary_emb.inv_freq": { dtype: "F32", shape: [8] },
    };
    const file = safetensors(tensors);
    write({
      "config.json": llama,
      "model.safetensors": file,
      "consolidated.safetensors": safetensors({ x: { dtype: "F16", shape: [1000] } }),
    });
    const model = await readModel(folder);
    assert.equal(model.parameters, 640);
    assert.equal(model.parametersBasis, "counted-from-safetensors");
    assert.equal(model.weightsGiB, Math.max(0.0001, Number((file.length / 1024 ** 3).toFixed(4))));
  });

  it("unpacks quantised weights when it counts", async () => {
    const gptq = {
      ...llama,
      quantization_config: { quant_method: "gptq", bits: 4, group_size: 128 },
    };
    write({
      "config.json": gptq,
      "model.safetensors": safetensors({
        "q.qweight": { dtype: "I32", shape: [8, 64] },
        "q.qzeros": { dtype: "I32", shape: [1, 8] },
        "q.scales": { dtype: "F16", shape: [1, 64] },
        "q.g_idx": { dtype: "I32", shape: [64] },
        "embed.weight": { dtype: "F16", shape: [100, 64] },
      }),
    });
    const { parameters, quantisation, nativePrecision } = await readModel(folder);
    assert.equal(parameters, 8 * 64 * 8 + 6400);
    assert.equal(nativePrecision, "int4 (gptq)");
    assert.deepEqual(quantisation, {
      method: "gptq",
      bits: 4,
      groupSize: 128,
      bitsPerWeight: 4 + 20 / 128,
      quantisedParameters: 4096,
    });
  });

  it("follows an index over its shards, and wants all or none of them", async () => {
    const map = { a: "model-1.safetensors", b: "model-2.safetensors" };
    write({
      "config.json": llama,
      "model.safetensors.index.json": { weight_map: map },
    });
    assert.equal((await readModel(folder)).parametersBasis, "formula-from-config");
    write({ "model-1.safetensors": safetensors({ a: { dtype: "F16", shape: [7] } }) });
    assert.match(await refusal(), /1 of 2 weight files\.\n.*model-2\.safetensors: is missing/);
    write({ "model-2.safetensors": safetensors({ b: { dtype: "F16", shape: [5] } }) });
    assert.equal((await readModel(folder)).parameters, 12);
  });

  it("does not follow an index out of the folder", async () => {
    write({
      "config.json": llama,
      "model.safetensors.index.json": { weight_map: { a: "../../etc/passwd" } },
    });
    assert.match(await refusal(), /weight_map: names "\.\.\/\.\.\/etc\/passwd"/);
  });

  it("names every field that is missing or wrong, at once", async () => {
    write({
      "config.json": {
        ...llama,
        num_hidden_layers: "2",
        hidden_size: -64,
        num_key_value_heads: 3,
        vocab_size: undefined,
        tie_word_embeddings: "no",
        intermediate_size: 1e300,
      },
    });
    const said = await refusal();
    for (const problem of [
      'config.json: num_hidden_layers: is "2", not a whole number above 0',
      "config.json: hidden_size: is -64, not a whole number above 0",
      "config.json: num_key_value_heads: 3 do not divide the 4 attention heads",
      "config.json: vocab_size or padded_vocab_size: is missing",
      'config.json: tie_word_embeddings: is "no", not true or false',
      "config.json: intermediate_size: is 1e+300, not a whole number above 0",
    ]) {
      assert.ok(said.includes(problem), `${problem}\nnot in\n${said}`);
    }
  });

  it("reads Python's Infinity, and the quantisation that NVIDIA writes beside the configuration", async () => {
    const text = JSON.stringify(llama).replace("{", '{"time_step_limit": [0.0, Infinity], ');
    write({
      "config.json": text,
      "hf_quant_config.json": { producer: {}, quantization: { quant_algo: "NVFP4" } },
    });
    const { nativePrecision, quantisation } = await readModel(folder);
    assert.deepEqual([nativePrecision, quantisation?.bitsPerWeight], ["nvfp4", 4.5]);
  });

  it("refuses NaN, a git-lfs pointer, a list and nothing at all", async () => {
    write({ "config.json": '{"hidden_size": NaN}' });
    assert.match(
      await refusal(),
      /config\.json: hidden_size: is "NaN", not a whole number above 0/,
    );
    write({ "config.json": "version https://git-lfs.github.com/spec/v1\n" });
    assert.match(await refusal(), /config\.json is no JSON/);
    write({ "config.json": "[]" });
    assert.match(await refusal(), /config\.json: is a list, not a JSON object/);
    assert.match(await refusal(join(folder, "nowhere")), /There is no file or folder/);
    mkdirSync(join(folder, "empty"));
    assert.match(
      await refusal(join(folder, "empty")),
      /no config\.json, model_index\.json or \.gguf file/,
    );
  });

  it("refuses a JSON of a gigabyte without reading it", async () => {
    write({ "config.json": "{" });
    truncateSync(join(folder, "config.json"), 2 ** 30);
    const before = process.memoryUsage().rss;
    assert.match(await refusal(), /has 1073741824 bytes; a configuration has at most/);
    assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
  });

  it("refuses a device, which never ends, and lists nested deeper than a stack goes", async () => {
    await assert.rejects(readModel("/dev/zero"), /\/dev\/zero is no file/);
    const path = join(folder, "deep.json");
    writeFileSync(path, "[".repeat(200_000) + "]".repeat(200_000));
    await assert.rejects(readModel(path), (error) => {
      return (
        error instanceof UserError && error.problems.join().includes("is a list, not a JSON object")
      );
    });
  });

  it("refuses weight files whose header is cut off or lies", async () => {
    const good = safetensors({ a: { dtype: "F16", shape: [64, 64] } });
    const cases: readonly (readonly [Buffer, RegExp])[] = [
      [good.subarray(0, 5), /shorter than the 8 bytes/],
      [good.subarray(0, 40), /is cut off: its header has \d+ bytes, and the file 40/],
      [good.subarray(0, -1), /tensor a: lies beyond the end of the file/],
      [
        Buffer.concat([Buffer.alloc(8, 255), good]),
        /says that its header has 18446744073709551615 bytes/,
      ],
      [
        Buffer.from(good.toString("latin1").replace("[64,64]", "[64,65]"), "latin1"),
        /tensor a: its shape/,
      ],
      [
        Buffer.from(good.toString("latin1").replace("[64,64]", '[-1,"a]'), "latin1"),
        /its header is no JSON/,
      ],
      [
        Buffer.from(good.toString("latin1").replace("[64,64]", "[-9,64]"), "latin1"),
        /is no description of a tensor/,
      ],
    ];
    for (const [content, said] of cases) {
      write({ "config.json": llama, "model.safetensors": content });
      assert.match(await refusal(), said);
    }
  });

  it("reads a pipeline's parts from their own folders", async () => {
    write({
      "model_index.json": { _class_name: "P", unet: ["diffusers", "U"], vae: ["diffusers", "V"] },
      "unet/diffusion_pytorch_model.safetensors": safetensors({ a: { dtype: "F32", shape: [30] } }),
      "unet/diffusion_pytorch_model.fp16.safetensors": safetensors({
        a: { dtype: "F16", shape: [30] },
      }),
      "vae/diffusion_pytorch_model.safetensors": safetensors({ a: { dtype: "F32", shape: [12] } }),
    });
    const { components, nativePrecision, task } = await readModel(folder);
    assert.deepEqual(
      components?.map(({ role, parameters }) => [role, parameters]),
      [
        ["denoiser", 30],
        ["vae", 12],
      ],
    );
    assert.equal(nativePrecision, "fp32");
    assert.equal(task, "image-generation");
  });

  describe("with a GGUF file", () => {
    const metadata: Readonly<Record<string, GgufValue>> = {
      "general.architecture": { type: "string", value: "llama" },
      "general.file_type": { type: "uint32", value: 1 },
      "llama.block_count": { type: "uint32", value: 2 },
      "llama.embedding_length": { type: "uint32", value: 64 },
      "llama.attention.head_count": { type: "uint32", value: 4 },
      "llama.attention.head_count_kv": { type: "uint32", value: 2 },
      "llama.context_length": { type: "uint32", value: 256 },
      "llama.feed_forward_length": { type: "uint32", value: 128 },
    };
    const tensor = (name: string, dimensions: readonly number[]): GgufTensor => ({
      name,
      dimensions,
      type: "f16",
      bytes: dimensions.reduce((product, side) => product * side, 2),
    });
    const tensors = [tensor("token_embd.weight", [64, 100]), tensor("output.weight", [64, 100])];
    const head = ggufHead(metadata, tensors);
    const whole = Buffer.concat([head, Buffer.alloc(2 * 12_800)]);

    it("takes shape, size and cache from its head", async () => {
      write({ "small.F16.gguf": whole });
      const model = await readModel(join(folder, "small.F16.gguf"));
      assert.equal(model.parameters, 12_800);
      assert.equal(model.engine, "llama.cpp");
      assert.equal(model.vocabularySize, 100);
      assert.equal(model.tiedEmbeddings, false);
      assert.equal(model.kvBytesPerToken, 2 * 2 * 2 * 16 * 2);
      assert.equal(model.kvType, "gqa");
      assert.equal((await readModel(folder)).parameters, 12_800);
    });

    it("refuses what is cut off, not a GGUF file, lacks a field or a part", async () => {
      write({ "a.gguf": head.subarray(0, 100) });
      assert.match(await refusal(join(folder, "a.gguf")), /it is cut off: it has 100 bytes/);
      write({ "a.gguf": head.subarray(0, -70) });
      assert.match(await refusal(join(folder, "a.gguf")), /cannot be read as a GGUF file/);
      write({ "a.gguf": "GGML and so on" });
      assert.match(await refusal(join(folder, "a.gguf")), /not starting with GGUF magic number/);
      const less = Object.fromEntries(
        Object.entries(metadata).filter(([key]) => key !== "llama.block_count"),
      );
      write({ "a.gguf": Buffer.concat([ggufHead(less, tensors), Buffer.alloc(30_000)]) });
      assert.match(await refusal(join(folder, "a.gguf")), /llama: block_count: is missing/);
      write({ "b-00001-of-00002.gguf": whole });
      assert.match(await refusal(join(folder, "b-00001-of-00002.gguf")), /b-00002-of-00002\.gguf/);
    });

    it("adds up the parts of a split one, and asks which of several is meant", async () => {
      write({ "b-00001-of-00002.gguf": whole, "b-00002-of-00002.gguf": whole });
      assert.equal((await readModel(folder)).parameters, 25_600);
      write({ "c.gguf": whole });
      assert.match(await refusal(), /it has 2 \.gguf files/);
    });
  });
});
