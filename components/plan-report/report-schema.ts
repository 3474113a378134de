import { z } from "zod";
import { imageSpeedSchema, imageTrainingSchema } from "./image-schema.ts";
import { layoutSchema, rangeSchema as range } from "./layout-schema.ts";
import { smallerFormSchema } from "./smaller-form-schema.ts";
import { trainingAskedSchema } from "./training-asked-schema.ts";

const price = z.number().nonnegative();

const memoryPart = z.strictObject({
  name: z.string(),
  mib: z.number().nonnegative(),
  lowMiB: z.number(),
  highMiB: z.number().nonnegative(),
  why: z.string(),
});

const memoryDemand = z.looseObject({
  tensorParallel: z.int().positive(),
  pipelineParallel: z.int().positive(),
  dataParallel: z.int().positive(),
  contextParallel: z.int().positive().optional().describe("GPUs to a sequence; 1 where not there."),
  parts: z.array(memoryPart).nonempty(),
  totalMiB: z.number().positive(),
  lowMiB: z.number(),
  highMiB: z.number().positive(),
  startMiB: z.number().positive().describe("What it takes to start, MiB."),
  utilisation: z.number().describe("Share of the GPU's memory that the engine takes, 0 to 1."),
});

const speed = z.strictObject({
  tokensPerSecond: range.describe("Answer tokens of one sequence."),
  totalTokensPerSecond: range.describe("Answer tokens of all sequences, prompts counted in."),
  firstTokenSeconds: range,
  requestSeconds: range,
});

const rung = z.strictObject({
  instanceType: z.string(),
  region: z.string(),
  zones: z.array(z.string()).describe("Zones to try, in order; empty takes those of the account."),
  purchase: z.enum(["on-demand", "spot", "capacity-block"]),
  nodes: z.int().positive().optional().describe("Hosts of the type; one where it is left out."),
  gpuModel: z.string(),
  gpuCount: z.int().positive(),
  gpuMemoryMiB: z.int().positive().describe("Usable memory of each GPU."),
  cpuArchitecture: z.enum(["x86_64", "arm64"]),
  tensorParallel: z.int().positive(),
  pipelineParallel: z.int().positive(),
  dataParallel: z.int().positive(),
  nvlink: z.boolean(),
  hourlyUsd: price.describe("Its hosts on demand; with spot it is the most an hour can cost."),
  spotMaxHourlyUsd: price.optional().describe("Most that is paid for an hour on spot."),
  onDemandHourlyUsd: price.optional().describe("Its hosts on demand, where spot has a limit."),
  priceAsOf: z.iso.date(),
  priceSource: z.string(),
  fits: z.boolean().describe("It starts."),
  comfortable: z.boolean().describe("It holds the asked load with room to spare."),
  demand: memoryDemand.describe("What each GPU has to hold."),
  hourly: z.strictObject({
    instanceUsd: price,
    volumeUsd: price,
    publicIpv4Usd: price,
    totalUsd: price,
  }),
  monthlyUsd: price,
  reserved: z
    .strictObject({
      oneYearHourlyUsd: price.optional(),
      threeYearHourlyUsd: price.optional(),
      asOf: z.iso.date(),
      source: z.string(),
    })
    .optional()
    .describe("A standard reservation with nothing upfront, USD an hour of the term."),
  spotHourlyUsd: price.optional().describe("Newest spot price that is known, cheapest zone."),
  spotHighHourlyUsd: price.optional().describe("The same of the dearest zone."),
  spotAsOf: z.iso.date().optional().describe("The day of that price."),
  pastSpot: z
    .strictObject({ hourlyUsd: price, asOf: z.iso.date(), source: z.string() })
    .optional()
    .describe("What spot was on a day, by a public table; nothing is decided by it."),
  speed: speed.optional(),
  imageSpeed: imageSpeedSchema.optional(),
  perThousandImagesUsd: range.optional(),
  perMillionTokensUsd: range.optional().describe("USD of a million answer tokens."),
  fullLoad: z
    .strictObject({ concurrency: z.int().positive(), speed, perMillionTokensUsd: range })
    .optional()
    .describe("As many sequences at once as the memory holds."),
  imageTraining: imageTrainingSchema.optional(),
  training: z
    .strictObject({ tokensPerSecond: range, epochHours: range, jobHours: range })
    .optional(),
  layout: layoutSchema.optional().describe("How a training is laid out over hosts and GPUs."),
  jobUsd: range.optional(),
  energy: z
    .strictObject({
      kwhAnHour: range,
      gramsAnHour: range,
      gridGramsPerKwh: z.number(),
      gridSource: z.string(),
    })
    .optional(),
  software: z
    .strictObject({ pytorch: z.string(), cuda: z.string(), minLinuxDriver: z.string().optional() })
    .optional(),
  sagemakerTraining: z
    .strictObject({ instanceType: z.string(), hourlyUsd: price, priceAsOf: z.iso.date() })
    .optional()
    .describe("The same GPUs in a SageMaker training job."),
  sagemaker: z
    .strictObject({
      instanceType: z.string(),
      hourlyUsd: price,
      priceAsOf: z.iso.date(),
      breakEvenHoursAMonth: z.number().optional(),
    })
    .optional(),
});

const rejection = z.strictObject({
  instanceType: z.string(),
  region: z.string(),
  hourlyUsd: price.optional(),
  kind: z.string(),
  reason: z.string(),
});

const own = z.strictObject({
  gpus: z.array(z.strictObject({ name: z.string(), usableMiB: z.number() })).nonempty(),
  fits: z.boolean(),
  comfortable: z.boolean(),
  reason: z.string(),
  demand: memoryDemand.optional(),
  electricityHourlyUsd: price.optional(),
  electricityUsdPerKwh: price,
  source: z.string(),
  buying: z
    .strictObject({
      name: z.string(),
      count: z.int().positive(),
      listPriceUsd: price,
      breakEvenHours: z.number().optional(),
    })
    .optional(),
});

const saving = z.strictObject({
  machine: z.string(),
  usableMiB: z.number().positive(),
  rungs: z.array(
    z.strictObject({
      name: z.string(),
      change: z.string(),
      cost: z.string(),
      totalMiB: z.number(),
      savesMiB: z.number(),
      fits: z.boolean(),
    }),
  ),
});

/** What `berth plan --json` prints. A field that is not there is not known, or not of this task. */
export const planReportSchema = z.strictObject({
  schemaVersion: z.literal(1).describe("Grows when a field is taken away or changes its meaning."),
  task: z.enum(["serve", "finetune", "train"]),
  modelId: z.string(),
  modelName: z.string(),
  huggingfaceRepo: z.string().optional(),
  licence: z.string(),
  gated: z.boolean(),
  commercialUse: z.string().optional(),
  licenceText: z.strictObject({ title: z.string(), url: z.string(), terms: z.string() }).optional(),
  parameters: z.number().positive().optional(),
  env: z.string(),
  engine: z.string().optional(),
  precision: z.string(),
  serving: z
    .strictObject({
      contextTokens: z.int().positive(),
      concurrency: z.int().positive(),
      promptTokens: z.int().positive(),
      answerTokens: z.int().positive(),
    })
    .optional(),
  trainingAsked: trainingAskedSchema.optional(),
  weightsGiB: z.number().nonnegative(),
  rootVolumeGiB: z.number().positive(),
  hostMemoryGiB: z.number().positive().optional(),
  ranking: z.strictObject({ by: z.enum(["hour", "job"]), tieBreak: z.string() }),
  ladder: z.array(rung).describe("Best first; empty when only the own machine holds it."),
  rejected: z.array(rejection).describe("Every other type, cheapest first, and why."),
  monthlyHours: z.number().positive(),
  leaseHours: z.number().positive().optional(),
  leaseUsd: price.optional(),
  leaseMostUsd: price.optional().describe("The lease at the dearest rung of the ladder."),
  around: z
    .strictObject({
      weightsMonthlyUsd: price,
      syncUsd: price,
      crossRegionSyncUsd: price,
      egressPerMillionTokensUsd: price,
      priceAsOf: z.iso.date(),
    })
    .optional(),
  weightsDelivery: z
    .array(
      z.strictObject({
        way: z.enum([
          "s3-instance-store",
          "s3-volume",
          "snapshot-at-a-rate",
          "fast-snapshot-restore",
          "fsx-lustre",
        ]),
        seconds: range,
        keepMonthlyUsd: price.optional(),
        why: z.string(),
      }),
    )
    .describe("Ways to bring the weights to the first rung's host; the first is the one taken."),
  own: own.optional(),
  otherRules: z
    .array(
      z.strictObject({
        rule: z.string(),
        gib: z.number().positive().describe("Of all GPUs together."),
        oursGiB: z.number().positive().describe("Of this plan, of all GPUs together."),
        why: z.string(),
      }),
    )
    .describe("What other tools' rules say of the first rung."),
  longestContext: z
    .strictObject({ tokens: z.int().positive(), ofModel: z.boolean() })
    .optional()
    .describe(
      "What one sequence alone may have on the first rung, and whether it is the model's limit.",
    ),
  smallerForms: z
    .array(smallerFormSchema)
    .describe("The same server in fewer bits, where that is cheaper; empty where bits were named."),
  saving: saving.optional(),
  warnings: z.array(z.string()),
  catalogueVersion: z.iso.date(),
});

/** The same as a JSON Schema, as `docs/plan.schema.json` holds it. */
export function planJsonSchema(): object {
  return z.toJSONSchema(planReportSchema);
}
