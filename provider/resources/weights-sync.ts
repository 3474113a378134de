import { z } from "zod";
import { connectionSchema, hostOf, onHost } from "../connection.ts";
import { mountStorage } from "../host-storage.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { checkWeights } from "../check-weights.ts";
import { syncWeights } from "../sync-weights.ts";
import type { SyncInputs } from "../weights-plan.ts";
import { goneOrRethrow } from "./gone.ts";
import { whileAlive } from "./while-alive.ts";

const absolute = /^(\/|\$BERTH_ROOT\/)/;
const inputs = z.object({
  connection: connectionSchema,
  instanceId: z.string().min(1),
  bucket: z.string().min(3),
  prefix: z.string(),
  region: z.string().min(1),
  folder: z.string().regex(absolute, "must be an absolute path on the host"),
  include: z.array(z.string().min(1)).optional(),
  exclude: z.array(z.string().min(1)).optional(),
  bucketRegion: z.string().min(1).optional(),
  requesterPays: z.boolean().optional(),
  /** Where Node and the sync's program go. @default the folder above `weights` in `folder`, else above `folder` */
  dataFolder: z.string().regex(absolute, "must be an absolute path on the host").optional(),
});

const filesSchema = z.array(
  z.object({ key: z.string(), size: z.number(), etag: z.string(), checksum: z.string() }),
);

/** The data folder that a weights folder belongs to: what stands before `/weights/`, else its parent. */
export function dataFolderOf(folder: string): string {
  const at = `${folder}/`.indexOf("/weights/");
  if (at > 0) return folder.slice(0, at);
  return folder.slice(0, Math.max(folder.lastIndexOf("/"), 0)) || folder;
}

function syncInputs(given: z.infer<typeof inputs>): SyncInputs {
  return { ...given, dataFolder: given.dataFolder ?? dataFolderOf(given.folder) };
}

async function sync(values: Properties, operation: Operation): Promise<Properties> {
  const given = inputs.parse(values);
  const synced = await whileAlive(given.instanceId, operation, (patience) => {
    const host = hostOf(given.connection, patience);
    return onHost(host, async () => {
      await mountStorage(host, syncInputs(given).dataFolder, operation);
      return syncWeights(host, syncInputs(given), operation);
    });
  });
  return { ...values, ...synced };
}

async function look(state: Properties, operation: Operation): Promise<Properties | undefined> {
  const given = inputs.parse(state);
  const files = filesSchema.parse(state["files"] ?? []);
  const host = hostOf(given.connection, { connectMs: 20_000 });
  try {
    const found = await onHost(host, () => checkWeights(host, syncInputs(given), files));
    if (found.changed === undefined)
      operation.log("the bucket could not be asked whether the weights changed", "warning");
    const off = new Set([...found.damaged, ...(found.changed ?? [])]);
    for (const key of found.damaged)
      operation.log(`${key} is missing or damaged on the host`, "warning");
    for (const key of found.changed ?? []) operation.log(`${key} changed in the bucket`, "warning");
    const whole = off.size === 0 && found.manifestSha256 === state["manifestSha256"];
    if (whole) return state;
    return { ...state, files: files.filter(({ key }) => !off.has(key)), manifestSha256: "" };
  } catch (error) {
    return goneOrRethrow(error, given.instanceId, operation);
  }
}

/** `berth:index:WeightsSync`: the objects of a prefix as files on the host, whole and verified. */
export const weightsSync: ResourceType = {
  inputs,
  replaceOn: ["instanceId"],
  computed: ["files", "bytes", "seconds", "manifestSha256"],
  // A Read that found damage leaves no manifest in the state.
  needsRepair: (state) => state["manifestSha256"] === "",
  create: async (values, operation) => ({
    id: `weights-${String(values["instanceId"])}`,
    outputs: await sync(values, operation),
  }),
  read: (_id, state, operation) => look(state, operation),
  update: (_id, _olds, news, operation) => sync(news, operation),
  // The files go with the host's disk.
  delete: () => Promise.resolve(),
};
