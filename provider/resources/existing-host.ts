import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { connectionSchema, hostOf, onHost } from "../connection.ts";
import { claimHost, releaseHost, stillClaimed } from "../existing-host.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { isUnreachable } from "./gone.ts";

/** A machine that is there already is not waited for as one that boots. */
const connectMs = 10_000;

/** Set by whoever gives a machine up that does not come back. */
const abandonVariable = "BERTH_ABANDON_HOST";

const inputs = z.object({
  connection: connectionSchema,
  dataFolder: z.string().regex(/^(\/|\$BERTH_ROOT\/)[^/]/, "must be an absolute path on the host"),
  stack: z.string().regex(/^\S+$/, "must be the stack's name"),
  runId: z.string().regex(/^[0-9a-f]{12}$/, "must be twelve hexadecimal digits"),
});

async function claim(values: Properties, operation: Operation): Promise<string> {
  const from = inputs.parse(values);
  const host = hostOf(from.connection, { connectMs, signal: operation.signal });
  return onHost(host, () => claimHost(host, from));
}

async function update(olds: Properties, news: Properties, operation: Operation) {
  const machineId = await claim(news, operation);
  if (machineId === olds["machineId"]) return { ...news, machineId };
  const { connection } = inputs.parse(news);
  throw new UserError(`another machine answers at ${connection.host} than the one before`, {
    hint: "Take the deployment down while the old machine still answers, then up again on the new one.",
  });
}

async function release(state: Properties, operation: Operation): Promise<void> {
  const from = inputs.parse(state);
  const host = hostOf(from.connection, { connectMs });
  try {
    const stays = await onHost(host, () => releaseHost(host, from));
    operation.log(`${host.name} is given back; berth's files are gone from ${from.dataFolder}`);
    for (const each of stays) operation.log(`stays: ${each}`, "warning");
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    if (process.env[abandonVariable] !== "1") {
      throw new UserError(`${host.name} does not answer, so what berth put there is still there`, {
        hint: `Run down again when it answers; or give it up with ${abandonVariable}=1 in the environment.`,
        cause: error,
      });
    }
    operation.log(`${host.name} is given up; what berth put there stays on it`, "warning");
  }
}

/** `berth:index:ExistingHost`: a machine that is there already, taken for one deployment. */
export const existingHost: ResourceType = {
  inputs,
  replaceOn: ["dataFolder", "stack", "runId"],
  computed: ["machineId"],
  create: async (values, operation) => {
    const machineId = await claim(values, operation);
    return { id: machineId, outputs: { ...values, machineId } };
  },
  read: async (_id, state) => {
    const from = inputs.parse(state);
    const host = hostOf(from.connection, { connectMs });
    await onHost(host, () => stillClaimed(host, from));
    return state;
  },
  update: (_id, olds, news, operation) => update(olds, news, operation),
  delete: (_id, state, operation) => release(state, operation),
};
