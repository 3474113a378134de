import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { modelFromFiles } from "../../components/catalogue/from-config/model-from-files.ts";
import type {
  ModelFiles,
  WeightFiles,
} from "../../components/catalogue/from-config/model-files.ts";
import type { Model } from "../../components/catalogue/model.ts";
import { UserError } from "../../components/user-error.ts";
import { readGguf } from "./gguf-header.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";

/** Largest JSON file that is read, bytes; the index of a model of a trillion parameters has about 20 MB. */
const maxJsonBytes = 64 * 1024 * 1024;

/**
 * Python writes numbers that JSON does not have, such as Mamba's `"time_step_limit": [0.0, Infinity]`. They are read as texts, so
 * that one where a size belongs is named with its field.
 */
const pythonNumbers = /(?<=[:[,]\s*)(?:-?Infinity|NaN)(?=\s*[\],}])/g;

async function readJson(path: string): Promise<unknown> {
  const found = await stat(path);
  const { size } = found;
  // A device says that it is empty, and never ends.
  if (!found.isFile()) {
    throw new UserError(`${path} is no file.`, {
      hint: "Give the model's config.json, or the folder that it lies in.",
    });
  }
  if (size > maxJsonBytes) {
    throw new UserError(`${path} has ${size} bytes; a configuration has at most ${maxJsonBytes}.`, {
      hint: "Give the model's config.json, or the folder that it lies in.",
    });
  }
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text.replaceAll(pythonNumbers, '"$&"'));
  } catch (error) {
    const pointer = text.startsWith("version https://git-lfs");
    throw new UserError(`${path} is no JSON.`, {
      problems: [error instanceof Error ? error.message : String(error)],
      hint: pointer ? "It is a git-lfs pointer: run git lfs pull." : "Download it again.",
      cause: error,
    });
  }
}

async function readJsonIfThere(path: string): Promise<unknown> {
  return existsSync(path) ? readJson(path) : undefined;
}

/** File names of an index; a name that leaves the folder is not followed. */
async function indexedFiles(path: string): Promise<readonly string[]> {
  const index = (await readJson(path)) as { readonly weight_map?: unknown } | null;
  const map = index?.weight_map;
  const names = typeof map === "object" && map !== null ? Object.values(map) : [];
  const texts = [...new Set(names)].filter((name): name is string => typeof name === "string");
  const bad = texts.find((name) => name !== basename(name) || !name.endsWith(".safetensors"));
  if (texts.length === 0 || bad !== undefined) {
    const what =
      bad === undefined ? "weight_map: names no files" : `weight_map: names "${bad.slice(0, 80)}"`;
    throw new UserError(`${path} is not an index of safetensors files.`, { problems: [what] });
  }
  return texts;
}

/**
 * The files that make up one copy of the weights: those of the index, else the unsharded one, else all but copies in another
 * form (`consolidated*`, `*.fp16.*`).
 */
async function weightNames(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const index = names.find((name) =>
    /^(model|diffusion_pytorch_model)\.safetensors\.index\.json$/.test(name),
  );
  if (index !== undefined) return indexedFiles(join(folder, index));
  const files = names.filter((name) => name.endsWith(".safetensors"));
  const whole = files.find((name) => /^(model|diffusion_pytorch_model)\.safetensors$/.test(name));
  if (whole !== undefined) return [whole];
  const plain = files.filter(
    (name) => !/^(consolidated|adapter_model)|\.(fp16|bf16|non_ema)[.-]/.test(name),
  );
  return plain.length > 0 ? plain : files.filter((name) => !name.startsWith("adapter_model"));
}

async function readWeights(folder: string): Promise<WeightFiles | undefined> {
  const names = await readdir(folder);
  const files = await weightNames(folder, names);
  // An index without its files is what `--include "*.json"` downloads: the configuration then has to do.
  const there = files.filter((name) => existsSync(join(folder, name)));
  if (there.length === 0) return undefined;
  const missing = files.filter((name) => !there.includes(name));
  if (missing.length > 0) {
    throw new UserError(`${folder} has ${there.length} of ${files.length} weight files.`, {
      problems: missing.slice(0, 5).map((name) => `${join(folder, name)}: is missing`),
      hint: "Download the rest, or remove the weights: config.json alone is enough for an estimate.",
    });
  }
  const read: WeightFiles[] = [];
  for (const name of there) read.push(await readSafetensorsHeader(join(folder, name)));
  return {
    tensors: read.flatMap(({ tensors }) => tensors),
    bytes: read.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function readPipeline(folder: string): Promise<ModelFiles> {
  const parts: Record<string, { config?: unknown; weights?: WeightFiles | undefined }> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const part = join(folder, entry.name);
    parts[entry.name] = {
      config: await readJsonIfThere(join(part, "config.json")),
      weights: await readWeights(part),
    };
  }
  const modelIndex = await readJson(join(folder, "model_index.json"));
  return { kind: "diffusers", place: folder, name: basename(resolve(folder)), modelIndex, parts };
}

/** `config` with the quantisation that NVIDIA's tools write into a file of its own, where the configuration has none. */
async function withModelopt(config: unknown, folder: string): Promise<unknown> {
  const file = (await readJsonIfThere(join(folder, "hf_quant_config.json"))) as
    { readonly quantization?: unknown } | null | undefined;
  const quantisation = file?.quantization;
  if (typeof config !== "object" || config === null || "quantization_config" in config)
    return config;
  if (typeof quantisation !== "object" || quantisation === null) return config;
  return { ...config, quantization_config: { quant_method: "modelopt", ...quantisation } };
}

async function readFolder(folder: string): Promise<ModelFiles> {
  const names = await readdir(folder);
  if (names.includes("model_index.json")) return readPipeline(folder);
  if (names.includes("config.json")) {
    return {
      kind: "transformers",
      place: join(folder, "config.json"),
      name: basename(resolve(folder)),
      config: await withModelopt(await readJson(join(folder, "config.json")), folder),
      generationConfig: await readJsonIfThere(join(folder, "generation_config.json")),
      weights: await readWeights(folder),
    };
  }
  const ggufs = names.filter(
    (name) => /\.gguf$/i.test(name) && !/-0000[2-9]-of-|mmproj/.test(name),
  );
  const [only, ...others] = ggufs;
  if (only !== undefined && others.length === 0) return readGguf(join(folder, only));
  throw new UserError(`${folder} is no model that can be read.`, {
    problems: [
      only === undefined
        ? "it has no config.json, model_index.json or .gguf file"
        : `it has ${ggufs.length} .gguf files: ${ggufs.slice(0, 6).join(", ")}`,
    ],
    hint: only === undefined ? "Give the folder of one model." : "Name one of them.",
  });
}

async function readFiles(path: string): Promise<ModelFiles> {
  if (!existsSync(path)) {
    throw new UserError(`There is no file or folder ${path}.`, {
      hint: "Give a model's folder, its config.json or a .gguf file.",
    });
  }
  if ((await stat(path)).isDirectory()) return readFolder(path);
  if (extname(path).toLowerCase() === ".gguf") return readGguf(path);
  if (/^(config|model_index)\.json$/.test(basename(path))) return readFolder(dirname(path));
  const config = await readJson(path);
  return { kind: "transformers", place: path, name: basename(path, extname(path)), config };
}

/**
 * The model that a path describes: a folder as Hugging Face has it, a config.json (with what lies beside it), or a GGUF file.
 * Only headers of weight files are read.
 *
 * @throws UserError naming file and field of everything that is missing or wrong
 */
export async function readModel(path: string): Promise<Model> {
  return modelFromFiles(await readFiles(path));
}
