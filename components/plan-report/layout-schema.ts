import { z } from "zod";

/** Two ends of a figure. */
export const rangeSchema = z.strictObject({ low: z.number(), high: z.number() });

/** How a training is laid out over hosts and GPUs. */
export const layoutSchema = z.strictObject({
  framework: z.enum(["hugging-face", "megatron"]),
  nodes: z.int().positive().describe("Hosts of one type."),
  gpusPerNode: z.int().positive(),
  tensorParallel: z.int().positive(),
  pipelineParallel: z.int().positive(),
  dataParallel: z.int().positive(),
  contextParallel: z.int().positive().describe("GPUs that share out the tokens of one sequence."),
  expertParallel: z.int().positive().describe("GPUs that share out the experts of a layer."),
  virtualStages: z.int().positive().describe("Groups of layers of each pipeline stage."),
  tablesAsLayers: z.boolean().describe("Embedding and output head count as a layer each."),
  sharding: z.string().describe("How states are shared out over the data-parallel GPUs."),
  gradientCheckpointing: z.boolean(),
  microBatch: z.int().positive().describe("Sequences of one pass on one GPU."),
  passes: z.int().positive().describe("Passes of one step, whose gradients are added up."),
  globalBatch: z.int().positive().describe("Sequences of one step of the optimiser."),
  networkGbps: z.number().positive().optional().describe("Of one host."),
  step: z
    .strictObject({
      share: rangeSchema.describe("Of the GPUs' dense peak that the arithmetic reaches."),
      computeSeconds: rangeSchema,
      bubble: z.number().nonnegative().describe("Idle time of the pipeline over the arithmetic."),
      traffic: z.array(
        z.strictObject({
          kind: z.enum(["tensor", "context", "expert", "pipeline", "data"]),
          over: z.enum(["nvlink", "network"]),
          gigabytes: z
            .number()
            .describe("Each way: of a GPU over NVLink, of a host over the network."),
          seconds: rangeSchema.describe("When nothing hides it."),
        }),
      ),
      stepSeconds: rangeSchema,
      tokensPerStep: z.number().positive(),
    })
    .optional()
    .describe("Of several hosts, or of Megatron-LM."),
});
