import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { bootWindowMs, connectionSchema, hostOf, onHost } from "../connection.ts";
import { acceptedHostKeys, readHostKeyRecord } from "../host-key-record.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { rotateHostKey } from "../rotate-host-key.ts";
import { goneOrRethrow } from "./gone.ts";
import { whileAlive } from "./while-alive.ts";

const inputs = z.object({ connection: connectionSchema, instanceId: z.string().min(1) });

function pinnedKey(state: Properties): string {
  const { hostKey } = state;
  if (typeof hostKey !== "string")
    throw new UserError("the state has no host key; replace the HostKeyRotation resource");
  return hostKey;
}

async function rotate(values: Properties, operation: Operation): Promise<Properties> {
  const { connection, instanceId } = inputs.parse(values);
  const began = Date.now();
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
  const seeded = connection.hostKey;
  // One that was cut off may have changed the key already; this machine's own note says to what.
  const hostKeys = async () => acceptedHostKeys(seeded, await readHostKeyRecord(instanceId));
  const hostKey = await whileAlive(instanceId, operation, (patience) => {
    const host = hostOf(connection, patience, hostKeys);
    return onHost(host, async () => {
      operation.log(`waiting for ${host.name} to let us in`);
      await host.session();
      operation.log(`logged in, the host key is the pinned one (${seconds()})`);
      const { hostKey, changed, kept } = await rotateHostKey(host, instanceId, seeded);
      if (changed)
        operation.log(
          `the host made itself a new host key, which is pinned from now on (${seconds()})`,
        );
      if (kept !== undefined) operation.log(`the seeded host key is kept: ${kept}`);
      return hostKey;
    });
  });
  return { ...values, hostKey };
}

/** Whether the host shows the pinned key is found out by connecting. */
async function connect(values: Properties, hostKey: string, connectMs: number): Promise<void> {
  const host = hostOf({ ...inputs.parse(values).connection, hostKey }, { connectMs });
  await onHost(host, () => host.session());
}

/** `berth:index:HostKeyRotation`: a host key that the host made itself, in place of the one in its user data. */
export const hostKeyRotation: ResourceType = {
  inputs,
  replaceOn: ["instanceId"],
  computed: ["hostKey"],
  create: async (values, operation) => {
    const outputs = await rotate(values, operation);
    return { id: `host-key-${String(values["instanceId"])}`, outputs };
  },
  read: async (_id, state, operation) => {
    try {
      await connect(state, pinnedKey(state), 20_000);
      return state;
    } catch (error) {
      return goneOrRethrow(error, inputs.parse(state).instanceId, operation);
    }
  },
  // Another address or port of the same instance: the same key, proved there.
  update: async (_id, olds, news) => {
    const hostKey = pinnedKey(olds);
    await connect(news, hostKey, bootWindowMs);
    return { ...news, hostKey };
  },
  // What was done to the host goes with the host.
  delete: () => Promise.resolve(),
};
