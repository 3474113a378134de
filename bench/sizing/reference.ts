import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { modelSchema } from "../../components/catalogue/model.ts";

const servingSchema = z.strictObject({
  engine: z.enum(["vllm", "tgi", "transformers", "llama.cpp", "diffusers"]),
  precision: z.string(),
  contextTokens: z.int().positive(),
  concurrency: z.int().positive(),
  promptTokens: z.int().positive().optional(),
  kvFormat: z.string().optional(),
  utilisation: z.number().optional(),
  cudaGraphs: z.boolean().optional(),
  gpuMemoryMiB: z.number().optional(),
  batchedTokens: z.int().positive().optional(),
  imageSize: z.strictObject({ width: z.int(), height: z.int() }).optional(),
  vaeSaving: z.string().optional(),
});

const trainingSchema = z.strictObject({
  method: z.enum(["full", "lora", "qlora"]),
  precision: z.enum(["fp32", "amp", "bf16"]),
  optimizer: z.enum(["adamw", "adamw-8bit", "adafactor", "sgd"]),
  sequenceTokens: z.int().positive(),
  microBatch: z.int().positive(),
  gradientCheckpointing: z.boolean(),
  packing: z.boolean(),
  fusedOptimizer: z.boolean().optional(),
  sharding: z.string().optional(),
  offload: z.string().optional(),
  lora: z
    .strictObject({
      rank: z.int(),
      targets: z.string(),
      trainEmbeddings: z.boolean().optional(),
    })
    .optional(),
  quantisation: z.string().optional(),
  flashAttention: z.boolean().optional(),
  chunkedLoss: z.boolean().optional(),
  imageSize: z.strictObject({ width: z.int(), height: z.int() }).optional(),
});

const settingSchema = {
  id: z.string(),
  /** Id in the catalogue, or in models.json beside this file. */
  model: z.string(),
  serving: servingSchema.optional(),
  training: trainingSchema.optional(),
  split: z
    .strictObject({
      dataParallel: z.int().optional(),
      tensorParallel: z.int(),
      pipelineParallel: z.int(),
    })
    .optional(),
  /** Where it differs from the file's. */
  source: z.string().optional(),
  note: z.string().optional(),
};

/** What a measured figure holds of the whole. */
const measuresSchema = z.enum([
  "process",
  "allocated",
  "non-kv",
  "weights",
  "kv-cache",
  "activations",
  "file",
]);

const measuredSchema = z.strictObject({
  ...settingSchema,
  measures: measuresSchema,
  /** As the source prints it, in `unit`. */
  printed: z.union([z.number(), z.string()]),
  unit: z.enum(["GiB", "GB", "MiB"]),
  gib: z.number().positive(),
  /** The figure is the sum over so many GPUs. @default 1 */
  devices: z.int().positive().optional(),
});

const outcomeSchema = z.strictObject({
  ...settingSchema,
  outcome: z.enum(["runs", "out-of-memory"]),
  usableMiB: z.number().positive(),
  /** Release of vLLM, where it is one before 0.17, which took 38 bytes for sampling where later ones take 16. */
  earlierRelease: z.string().optional(),
});

const fileSchema = z.strictObject({
  source: z.string(),
  date: z.string(),
  note: z.string(),
  rows: z.array(z.union([measuredSchema, outcomeSchema])),
});

/** A figure that somebody measured, in a setting that is known. */
export type Measured = z.infer<typeof measuredSchema> & { readonly file: string };

/** A setting that was seen to run, or to run out of memory. */
export type Outcome = z.infer<typeof outcomeSchema> & { readonly file: string };

/**
 * Whether the row is set aside: only ever scored, never looked at when a constant is chosen. One in four, by the SHA-256 of
 * its id, so that no one chooses.
 */
export function isHeldOut({ id }: { readonly id: string }): boolean {
  return (createHash("sha256").update(id).digest()[0] ?? 0) % 4 === 0;
}

/** The catalogue with the models of the references that it lacks. */
export function catalogueOfReferences(): Catalogue {
  const text = readFileSync(new URL("models.json", import.meta.url), "utf8");
  const others = z.array(modelSchema).parse(JSON.parse(text));
  const catalogue = loadCatalogue();
  return { ...catalogue, models: [...catalogue.models, ...others] };
}

const folder = new URL("references/", import.meta.url);

/** All rows of `references/`, checked against their schema. Outcomes of earlier releases stand apart: the estimates are of later ones. */
export function loadReferences(): {
  readonly measured: readonly Measured[];
  readonly outcomes: readonly Outcome[];
  readonly earlier: readonly Outcome[];
} {
  const measured: Measured[] = [];
  const outcomes: Outcome[] = [];
  const earlier: Outcome[] = [];
  for (const name of readdirSync(folder).toSorted()) {
    const file = name.replace(/\.json$/, "");
    const { rows } = fileSchema.parse(JSON.parse(readFileSync(new URL(name, folder), "utf8")));
    for (const row of rows) {
      if ("outcome" in row)
        (row.earlierRelease === undefined ? outcomes : earlier).push({ ...row, file });
      else measured.push({ ...row, file });
    }
  }
  return { measured, outcomes, earlier };
}
