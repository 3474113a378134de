import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { demoArchitecture, demoTensors, elementCount, type TensorPlan } from "./architecture.ts";
import { ggufHead, paddingAfter, type GgufTensor, type GgufValue } from "./gguf.ts";
import { ggufRowOrder, tensorValues } from "./random-values.ts";
import { demoVocabulary } from "./vocabulary.ts";

const shardCount = 3;

function bytesOf(values: Uint16Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** Half floats as 32-bit floats: norms are ones, and llama.cpp wants them in full precision. */
function onesAsFloat32(count: number): Buffer {
  return Buffer.from(new Float32Array(count).fill(1).buffer);
}

function shards(tensors: readonly TensorPlan[]): readonly (readonly TensorPlan[])[] {
  const size = Math.ceil(tensors.length / shardCount);
  return Array.from({ length: shardCount }, (_, at) => tensors.slice(at * size, (at + 1) * size));
}

function shardName(stem: string, shard: number, extension: string): string {
  const number = (value: number): string => String(value).padStart(5, "0");
  return `${stem}-${number(shard + 1)}-of-${number(shardCount)}.${extension}`;
}

async function writeParts(path: string, parts: Iterable<Buffer>): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const part of parts) await file.writeFile(part);
  } catch (error) {
    // An error in the middle of a write names no file.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  } finally {
    await file.close();
  }
}

function isNorm(tensor: TensorPlan): boolean {
  return tensor.deviation === 0;
}

function ggufTensor(tensor: TensorPlan): GgufTensor {
  const type = isNorm(tensor) ? "f32" : "f16";
  const bytes = elementCount(tensor) * (type === "f32" ? 4 : 2);
  return { name: tensor.ggufName, dimensions: tensor.shape.toReversed(), type, bytes };
}

function ggufMetadata(): Record<string, GgufValue> {
  const shape = demoArchitecture;
  const vocabulary = demoVocabulary();
  const count = (value: number): GgufValue => ({ type: "uint32", value });
  return {
    "general.architecture": { type: "string", value: "llama" },
    "general.name": { type: "string", value: `${shape.id} (random weights)` },
    "general.alignment": count(32),
    "general.file_type": count(1),
    "llama.block_count": count(shape.layers),
    "llama.context_length": count(shape.contextTokens),
    "llama.embedding_length": count(shape.hiddenSize),
    "llama.feed_forward_length": count(shape.intermediateSize),
    "llama.attention.head_count": count(shape.attentionHeads),
    "llama.attention.head_count_kv": count(shape.kvHeads),
    "llama.rope.dimension_count": count(shape.headDimension),
    "llama.rope.freq_base": { type: "float32", value: shape.ropeTheta },
    "llama.attention.layer_norm_rms_epsilon": { type: "float32", value: shape.rmsNormEpsilon },
    "llama.vocab_size": count(vocabulary.length),
    "tokenizer.ggml.model": { type: "string", value: "llama" },
    "tokenizer.ggml.tokens": { type: "strings", value: vocabulary.map((token) => token.text) },
    "tokenizer.ggml.scores": { type: "float32s", value: vocabulary.map((token) => token.score) },
    "tokenizer.ggml.token_type": { type: "int32s", value: vocabulary.map((token) => token.kind) },
    "tokenizer.ggml.unknown_token_id": count(0),
    "tokenizer.ggml.bos_token_id": count(1),
    "tokenizer.ggml.eos_token_id": count(2),
  };
}

function* ggufParts(shard: number, tensors: readonly TensorPlan[], all: number): Iterable<Buffer> {
  const split: Record<string, GgufValue> = {
    "split.no": { type: "uint16", value: shard },
    "split.count": { type: "uint16", value: shardCount },
    "split.tensors.count": { type: "int32", value: all },
  };
  const metadata = shard === 0 ? { ...ggufMetadata(), ...split } : split;
  yield ggufHead(metadata, tensors.map(ggufTensor));
  for (const tensor of tensors) {
    const data = isNorm(tensor)
      ? onesAsFloat32(elementCount(tensor))
      : bytesOf(ggufRowOrder(tensor, tensorValues(tensor)));
    yield data;
    yield Buffer.alloc(paddingAfter(data.length));
  }
}

function safetensorsHead(tensors: readonly TensorPlan[]): Buffer {
  let offset = 0;
  const entries = tensors.map((tensor) => {
    const start = offset;
    offset += elementCount(tensor) * 2;
    const place = { dtype: "F16", shape: tensor.shape, data_offsets: [start, offset] };
    return [tensor.safetensorsName, place] as const;
  });
  const json = JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) });
  const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}

function* safetensorsParts(tensors: readonly TensorPlan[]): Iterable<Buffer> {
  yield safetensorsHead(tensors);
  for (const tensor of tensors) yield bytesOf(tensorValues(tensor));
}

function modelConfig(vocabularySize: number): object {
  const shape = demoArchitecture;
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    torch_dtype: "float16",
    vocab_size: vocabularySize,
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.attentionHeads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDimension,
    max_position_embeddings: shape.contextTokens,
    rms_norm_eps: shape.rmsNormEpsilon,
    rope_theta: shape.ropeTheta,
    bos_token_id: 1,
    eos_token_id: 2,
    tie_word_embeddings: false,
  };
}

const card = `# ${demoArchitecture.id}

Random weights, made by berth's demo: the shape of a Llama, the knowledge of a dice. Apache-2.0.
`;

/**
 * Writes the demo's model into a folder: three safetensors shards with index and configuration, the same
 * weights as three GGUF shards, and a card that says they are random. Byte for byte the same on every run.
 *
 * @returns the files' names, relative to the folder
 * @throws the file system's error, such as ENOSPC; 240 MB are needed
 */
export async function writeDemoModel(folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const vocabularySize = demoVocabulary().length;
  const tensors = demoTensors(vocabularySize);
  const weightMap: Record<string, string> = {};
  const names: string[] = [];
  for (const [shard, part] of shards(tensors).entries()) {
    const plain = shardName("model", shard, "safetensors");
    const gguf = shardName(demoArchitecture.id, shard, "gguf");
    await writeParts(join(folder, plain), safetensorsParts(part));
    await writeParts(join(folder, gguf), ggufParts(shard, part, tensors.length));
    for (const tensor of part) weightMap[tensor.safetensorsName] = plain;
    names.push(plain, gguf);
  }
  const totalSize = tensors.reduce((sum, tensor) => sum + elementCount(tensor) * 2, 0);
  const index = { metadata: { total_size: totalSize }, weight_map: weightMap };
  const documents: Record<string, string> = {
    "config.json": JSON.stringify(modelConfig(vocabularySize), null, 2),
    "model.safetensors.index.json": JSON.stringify(index, null, 2),
    "README.md": card,
  };
  for (const [name, content] of Object.entries(documents)) {
    await writeFile(join(folder, name), content);
  }
  return [...names, ...Object.keys(documents)].toSorted();
}
