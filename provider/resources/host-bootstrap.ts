import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { bootstrapHost, type BootstrapInputs } from "../bootstrap-host.ts";
import { bootWindowMs, connectionSchema, hostOf, onHost } from "../connection.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { setHostDeadline } from "../host-deadline.ts";
import { rotateHostKey } from "../rotate-host-key.ts";
import { goneOrRethrow } from "./gone.ts";

const inputs = z.object({
  connection: connectionSchema,
  instanceId: z.string().min(1),
  gpu: z.strictObject({ model: z.string(), count: z.number().int().min(0) }),
  engine: z.enum(["llama.cpp", "vllm"]),
  dataFolder: z.string().regex(/^(\/|\$BERTH_ROOT\/)/, "must be an absolute path on the host"),
  expiresAt: z.union([z.literal(""), z.iso.datetime({ offset: true })]).optional(),
  timeoutSeconds: z.number().positive().optional(),
});

async function bootstrap(
  values: Properties,
  hostKey: string | undefined,
  operation: Operation,
): Promise<Properties> {
  const given = inputs.parse(values);
  const began = Date.now();
  const connection = { ...given.connection, hostKey: hostKey ?? given.connection.hostKey };
  const host = hostOf(connection, given.instanceId, {
    connectMs: bootWindowMs,
    signal: operation.signal,
  });
  return onHost(host, async () => {
    operation.log(`waiting for ${host.name} to let us in`);
    await host.session();
    operation.log(`logged in, the host key is the pinned one (${seconds(began)})`);
    const rotation =
      hostKey === undefined
        ? await rotateHostKey(host, given.instanceId, given.connection.hostKey)
        : { hostKey, changed: false, kept: undefined };
    if (rotation.changed)
      operation.log(
        `the host made itself a new host key, which is pinned from now on (${seconds(began)})`,
      );
    if (rotation.kept !== undefined) operation.log(`the seeded host key is kept: ${rotation.kept}`);
    if (given.expiresAt !== undefined) await setHostDeadline(host, given.expiresAt);
    const wish: BootstrapInputs = { ...given, timeoutSeconds: given.timeoutSeconds ?? 1800 };
    const done = await bootstrapHost(host, wish, operation);
    return { ...values, hostKey: rotation.hostKey, ...done };
  });
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** `berth:index:HostBootstrap`: a machine that can run the engine, with its GPUs checked and a host key of its own. */
export const hostBootstrap: ResourceType = {
  inputs,
  replaceOn: ["instanceId"],
  computed: ["hostKey", "facts", "steps", "verified"],
  create: async (values, operation) => {
    const outputs = await bootstrap(values, undefined, operation);
    return { id: `bootstrap-${String(values["instanceId"])}`, outputs };
  },
  read: async (_id, state, operation) => {
    const given = inputs.parse(pickInputs(state));
    const pinned = String(state["hostKey"]);
    const host = hostOf({ ...given.connection, hostKey: pinned }, given.instanceId, {
      connectMs: 20_000,
    });
    try {
      await onHost(host, () => host.session());
      return state;
    } catch (error) {
      return goneOrRethrow(error, given.instanceId, operation);
    }
  },
  update: (_id, olds, news, operation) => {
    const hostKey = olds["hostKey"];
    if (typeof hostKey !== "string")
      throw new UserError("the state has no host key; replace the HostBootstrap resource");
    return bootstrap(news, hostKey, operation);
  },
  // What was done to the host goes with the host.
  delete: () => Promise.resolve(),
};

function pickInputs(state: Properties): Properties {
  return Object.fromEntries(Object.keys(inputs.shape).map((key) => [key, state[key]]));
}
