import { z } from "zod";
import { connectionSchema, hostOf, onHost } from "../connection.ts";
import { copyWeights, missingCopies } from "../copy-weights.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

const connectMs = 30_000;

const inputs = z.object({
  connection: connectionSchema,
  instanceId: z.string().min(1),
  source: z.string().startsWith("/", "must be an absolute path on this machine"),
  /** Of the folder's files, by size and time: what makes a changed folder seen. */
  fingerprint: z.string(),
  folder: z.string().regex(/^(\/|\$BERTH_ROOT\/)/, "must be an absolute path on the host"),
  include: z.array(z.string().min(1)).optional(),
  exclude: z.array(z.string().min(1)).optional(),
});

const filesSchema = z.array(z.object({ path: z.string(), size: z.number(), sha256: z.string() }));

async function copy(values: Properties, operation: Operation): Promise<Properties> {
  const given = inputs.parse(values);
  const host = hostOf(given.connection, { connectMs, signal: operation.signal });
  const copied = await onHost(host, () => copyWeights(host, given, operation));
  return { ...values, ...copied };
}

async function look(state: Properties, operation: Operation): Promise<Properties> {
  const given = inputs.parse(state);
  const files = filesSchema.parse(state["files"] ?? []);
  const host = hostOf(given.connection, { connectMs });
  const gone = await onHost(host, () => missingCopies(host, given.folder, files));
  for (const path of gone) operation.log(`${path} is missing or damaged on the host`, "warning");
  return gone.length === 0 ? state : { ...state, manifestSha256: "" };
}

/** `berth:index:WeightsCopy`: the weights of a folder here, on the host, whole and verified. */
export const weightsCopy: ResourceType = {
  inputs,
  replaceOn: ["instanceId"],
  computed: ["files", "bytes", "manifestSha256"],
  // A Read that found damage leaves no manifest in the state.
  needsRepair: (state) => state["manifestSha256"] === "",
  create: async (values, operation) => ({
    id: `weights-${String(values["instanceId"])}`,
    outputs: await copy(values, operation),
  }),
  read: (_id, state, operation) => look(state, operation),
  update: (_id, _olds, news, operation) => copy(news, operation),
  // The files go when the machine is given back.
  delete: () => Promise.resolve(),
};
