import { z } from "zod";
import { connectionSchema, hostOf, onHost } from "../connection.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { answersNow, serveModel, stopModel, type ServeInputs } from "../serve-model.ts";
import { goneOrRethrow, isUnreachable, isTerminated } from "./gone.ts";
import { dataFolderOf } from "./weights-sync.ts";
import { whileAlive } from "./while-alive.ts";

const absolute = z.string().regex(/^(\/|\$BERTH_ROOT\/)/, "must be an absolute path on the host");
const inputs = z.object({
  connection: connectionSchema,
  instanceId: z.string().min(1),
  engine: z.enum(["llama.cpp", "vllm", "transformers", "diffusers"]),
  /** Of the engine: another one is put on the host and served with. */
  engineVersion: z.string().optional(),
  modelId: z.string().min(1),
  weightsFolder: absolute,
  /** Where the engine lies. @default the folder above `weights` in `weightsFolder` */
  dataFolder: absolute.optional(),
  port: z.number().int().min(1).max(65_535),
  arguments: z.array(z.string()).optional(),
  contextTokens: z.number().int().positive(),
  tensorParallel: z.number().int().positive().optional(),
  weightsVersion: z.string().optional(),
  quantise: z.enum(["none", "int8", "int4", "fp8"]).optional(),
  kvCacheDtype: z.enum(["fp8", "q8_0", "q4_0"]).optional(),
  adapters: z.array(z.strictObject({ name: z.string().min(1), folder: absolute })).optional(),
  adapterRank: z.number().int().positive().optional(),
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().gt(0).max(1).optional(),
  token: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, "must be 16 characters or more, without spaces")
    .optional(),
  open: z.boolean().optional(),
  tls: z
    .union([
      z.literal("own"),
      z.strictObject({ certificate: z.string().min(1), key: z.string().min(1) }),
    ])
    .optional(),
});

type Given = z.infer<typeof inputs>;

function serveInputs(from: Given): ServeInputs {
  return {
    ...from,
    dataFolder: from.dataFolder ?? dataFolderOf(from.weightsFolder),
    tensorParallel: from.tensorParallel ?? 1,
    weightsVersion: from.weightsVersion ?? "",
    arguments: from.arguments ?? [],
    quantise: from.quantise ?? "none",
  };
}

async function serve(values: Properties, operation: Operation): Promise<Properties> {
  const from = inputs.parse(values);
  const serving = await whileAlive(from.instanceId, operation, (patience) => {
    const host = hostOf(from.connection, patience);
    return onHost(host, () => serveModel(host, serveInputs(from), operation));
  });
  return { ...values, ...serving };
}

async function look(state: Properties, operation: Operation): Promise<Properties | undefined> {
  const from = inputs.parse(state);
  const host = hostOf(from.connection, { connectMs: 20_000 });
  try {
    const pinned = z.string().min(1).safeParse(state["certificate"]);
    const certificate = pinned.data;
    const answers = await onHost(host, () => answersNow(host, { ...from, certificate }));
    if (answers) return state;
    operation.log("the model server does not answer", "warning");
    return { ...state, answeredAt: "" };
  } catch (error) {
    return goneOrRethrow(error, from.instanceId, operation);
  }
}

async function stop(state: Properties, operation: Operation): Promise<void> {
  const from = inputs.parse(state);
  if (await isTerminated(from.instanceId)) return;
  const host = hostOf(from.connection, { connectMs: 20_000 });
  try {
    await onHost(host, () => stopModel(host, serveInputs(from).dataFolder));
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    operation.log("the host does not answer any more; the model server ends with it", "warning");
  }
}

/** `berth:index:ModelServer`: the engine on the host, which has answered a prompt. */
export const modelServer: ResourceType = {
  inputs,
  replaceOn: ["instanceId"],
  computed: ["url", "answeredAt", "unit", "certificate"],
  secrets: ["token", "tls"],
  // A Read that got no answer leaves no time of one.
  needsRepair: (state) => state["answeredAt"] === "",
  create: async (values, operation) => ({
    id: `server-${String(values["instanceId"])}`,
    outputs: await serve(values, operation),
  }),
  read: (_id, state, operation) => look(state, operation),
  update: (_id, _olds, news, operation) => serve(news, operation),
  delete: (_id, state, operation) => stop(state, operation),
};
