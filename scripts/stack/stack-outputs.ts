import type { OutputMap } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { throughSchema } from "../../provider/connection.ts";

/** What a copy of a component takes of its instance. */
const copySchema = z.looseObject({ accelerators: z.coerce.number() });

/** What a stack tells, a host's or an endpoint's; see stacks/outputs.ts. Before the first `up` came through, any may be missing. */
export const outputsSchema = z
  .object({
    instanceId: z.string(),
    instanceType: z.string(),
    /** Of a machine that was there already. */
    machineId: z.string(),
    address: z.string(),
    sshPort: z.coerce.number().int(),
    user: z.string(),
    hostKey: z.string(),
    /** What is on the way to the host. */
    sshThrough: throughSchema,
    url: z.string(),
    startedAt: z.string(),
    /** Empty without a deadline. */
    expiresAt: z.string(),
    hourlyUsd: z.coerce.number(),
    /** By the schedule that was declared then. */
    monthlyUsd: z.coerce.number(),
    owner: z.string(),
    weightsUri: z.string(),
    /** Where trainings keep their checkpoints. */
    checkpointsUri: z.string(),
    catalogueVersion: z.string(),
    /** What callers of a host's server have to know; a secret, never printed. */
    apiToken: z.string(),
    /** What callers pin, PEM; empty without TLS. */
    certificate: z.string(),
    /** What a prompt is put into, at {prompt}. */
    promptTemplate: z.string(),
    /** What a host serves beside its model, by name. */
    adapters: z.array(z.string()),
    /** Of several hosts, each; the first is told plainly too. */
    hosts: z.array(
      z.object({
        index: z.coerce.number().int(),
        instanceId: z.string(),
        address: z.string(),
        privateAddress: z.string(),
        hostKey: z.string(),
        sshThrough: throughSchema.optional(),
        url: z.string(),
        certificate: z.string(),
      }),
    ),
    plan: z.looseObject({
      modelId: z.string(),
      engine: z.string().optional(),
      ladder: z
        .array(z.looseObject({ gpuCount: z.coerce.number().optional() }))
        .readonly()
        .optional(),
      endpoint: z
        .looseObject({
          mode: z.string().optional(),
          /** Containers of an endpoint without instances. */
          serverless: z.looseObject({ provisionedConcurrency: z.coerce.number() }).optional(),
          container: z.looseObject({ requestForm: z.enum(["completion", "chat"]) }),
          /** Weekly hours, where it keeps any. */
          hours: z.looseObject({ text: z.string() }).optional(),
          minInstances: z.coerce.number().optional(),
          maxInstances: z.coerce.number().optional(),
          /** The notebook instance beside it. */
          notebook: z
            .looseObject({
              instanceType: z.string(),
              hourlyUsd: z.coerce.number(),
              idleMinutes: z.coerce.number(),
            })
            .optional(),
          /** What a copy of its own model takes, where components bring the models. */
          copy: copySchema.optional(),
          /** The types that it may run on, with their prices. */
          pools: z.array(z.looseObject({ hourlyUsd: z.coerce.number() })).optional(),
          /** Its further variants or components. */
          further: z
            .array(
              z.looseObject({
                name: z.string().optional(),
                modelId: z.string().optional(),
                copy: copySchema.optional(),
                minInstances: z.coerce.number(),
                maxInstances: z.coerce.number(),
              }),
            )
            .optional(),
        })
        .optional(),
    }),
    /** The rung that EC2 gave. */
    launched: z.looseObject({ purchase: z.string(), zone: z.string() }),
    refusals: z.array(z.looseObject({ code: z.string() })),
    /** Of a stack whose target is SageMaker. */
    endpointName: z.string(),
    endpointArn: z.string(),
    /** As the last `up` or refresh found it: SageMaker's word, or "stopped". */
    endpointState: z.string(),
    /** What requests name besides the endpoint, where an inference component brings the model. */
    inferenceComponent: z.string(),
    /** Where the endpoint has several models or variants: each, with what a request for it alone names. */
    served: z.array(
      z.looseObject({
        modelId: z.string(),
        requestForm: z.enum(["completion", "chat"]),
        variant: z.string().optional(),
        component: z.string().optional(),
      }),
    ),
    /** The notebook instance beside an endpoint. */
    notebookName: z.string(),
    /** Where an asynchronous endpoint's requests and answers lie. */
    asyncUri: z.string(),
    /** Of the stack of a training job: its name at SageMaker. */
    trainingJob: z.string(),
  })
  .partial();

/** The outputs of a stack as berth's commands read them. */
export type BerthOutputs = z.infer<typeof outputsSchema>;

/** Outputs from the engine's map, secrets included. */
export function readOutputs(map: OutputMap): BerthOutputs {
  const values = Object.entries(map).map(([key, { value }]) => [key, value as unknown] as const);
  return outputsSchema.parse(Object.fromEntries(values));
}

/** The date of the prices that the stack was planned by, which a catalogue's own date says nothing of. */
export function priceDate({ plan }: BerthOutputs): string {
  const dated = z.object({ ladder: z.array(z.object({ priceAsOf: z.string() })).min(1) });
  return dated.safeParse(plan).data?.ladder[0]?.priceAsOf ?? "its launch";
}

/** The outputs as they may be printed. */
export function printedOutputs(outputs: BerthOutputs): BerthOutputs {
  const { apiToken, ...rest } = outputs;
  return apiToken === undefined ? rest : { ...rest, apiToken: "[secret]" };
}
