import { z } from "zod";
import { bootstrapHost, type BootstrapInputs } from "../bootstrap-host.ts";
import { connectionSchema, hostOf, onHost } from "../connection.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { setHostDeadline } from "../host-deadline.ts";
import { goneOrRethrow } from "./gone.ts";
import { whileAlive } from "./while-alive.ts";

const inputs = z.object({
  connection: connectionSchema,
  instanceId: z.string().min(1),
  gpu: z.strictObject({ model: z.string(), count: z.number().int().min(0) }),
  engine: z.enum(["llama.cpp", "vllm", "transformers", "diffusers"]),
  /** Of the engine: another one is put on the host and served with. */
  engineVersion: z.string().optional(),
  dataFolder: z.string().regex(/^(\/|\$BERTH_ROOT\/)/, "must be an absolute path on the host"),
  expiresAt: z.union([z.literal(""), z.iso.datetime({ offset: true })]).optional(),
  timeoutSeconds: z.number().positive().optional(),
  driver: z
    .strictObject({
      branch: z.number().int().min(450).optional(),
      modules: z.enum(["open", "closed"]).optional(),
      replace: z.boolean().optional(),
    })
    .optional(),
  torch: z
    .string()
    .regex(/^(newest|\d+\.\d+)$/, 'must be a release such as "2.9", or "newest"')
    .optional(),
  containers: z.boolean().optional(),
  reboot: z.boolean().optional(),
  mirror: z
    .strictObject({
      url: z.url(),
      torchUrl: z.url().optional(),
      keyringSha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    })
    .optional(),
  pythonMirror: z
    .strictObject({
      url: z.url(),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .optional(),
    })
    .optional(),
});

async function bootstrap(values: Properties, operation: Operation): Promise<Properties> {
  const given = inputs.parse(values);
  return whileAlive(given.instanceId, operation, (patience) => {
    const host = hostOf(given.connection, patience);
    return onHost(host, async () => {
      if (given.expiresAt !== undefined) await setHostDeadline(host, given.expiresAt);
      const wish: BootstrapInputs = { ...given, timeoutSeconds: given.timeoutSeconds ?? 1800 };
      return { ...values, ...(await bootstrapHost(host, wish, operation)) };
    });
  });
}

/** `berth:index:HostBootstrap`: a machine that can run the engine, with its GPUs checked. */
export const hostBootstrap: ResourceType = {
  inputs,
  replaceOn: ["instanceId"],
  computed: ["facts", "steps", "verified"],
  create: async (values, operation) => {
    const outputs = await bootstrap(values, operation);
    return { id: `bootstrap-${String(values["instanceId"])}`, outputs };
  },
  read: async (_id, state, operation) => {
    const given = inputs.parse(state);
    const host = hostOf(given.connection, { connectMs: 20_000 });
    try {
      await onHost(host, () => host.session());
      return state;
    } catch (error) {
      return goneOrRethrow(error, given.instanceId, operation);
    }
  },
  update: (_id, _olds, news, operation) => bootstrap(news, operation),
  // What was done to the host goes with the host.
  delete: () => Promise.resolve(),
};
