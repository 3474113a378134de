import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { Ec2Launch } from "../adapters/ec2-launch.ts";
import { launchHost } from "../launch-host.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

/** How an instance is bought. */
export const purchase = z.enum(["spot", "on-demand"]);

/** A rung of the ladder. */
export const rung = z.object({
  instanceType: z.string().min(1),
  purchase,
  zones: z.array(z.string()),
  totalHourlyUsd: z.number().nonnegative(),
  spotMaxHourlyUsd: z.number().positive().optional(),
  gpuModel: z.string(),
  gpuCount: z.number().int().positive(),
  tensorParallel: z.number().int().positive(),
});

const inputs = z.object({
  region: z.string().min(1),
  templates: z.partialRecord(
    purchase,
    z.object({ id: z.string().min(1), version: z.string().min(1) }),
  ),
  subnetIds: z.array(z.string().min(1)).min(1, "must have a subnet"),
  rungs: z.array(rung).min(1, "must have a rung"),
  tags: z.record(z.string(), z.string()),
});

const outcome = z.object({ instanceId: z.string().min(1), fleetIds: z.array(z.string()) });

const placed = z.object({ region: z.string().min(1) });

/** Works with EC2 of the region that a resource is in. */
export async function inRegion<T>(
  values: Properties,
  work: (ec2: Ec2Launch) => Promise<T>,
): Promise<T> {
  const ec2 = new Ec2Launch(placed.parse(values).region);
  try {
    return await work(ec2);
  } finally {
    ec2.close();
  }
}

/** States of an instance that is no more. */
export const ended: readonly (string | undefined)[] = ["terminated", "shutting-down", undefined];

/** Says what to do about a launch that the account does not allow. */
export function explainDenied(error: unknown): never {
  if (error instanceof Error && error.name === "UnauthorizedOperation") {
    throw new UserError(`EC2 refused the launch: ${error.message}`, {
      hint: "docs/iam-policy.md has what a deployment needs.",
      cause: error,
    });
  }
  throw error;
}

/** `berth:index:HostLaunch`: one EC2 instance from a ladder of types, zones and markets. */
export const hostLaunch: ResourceType = {
  inputs,
  replaceOn: ["region"],
  computed: ["instanceId", "launched", "refusals", "fleetIds"],
  create: (values, operation) =>
    inRegion(values, async (ec2) => {
      const say = (line: string) => {
        operation.log(line);
      };
      const launch = await launchHost(ec2, inputs.parse(values), say).catch(explainDenied);
      return { id: launch.instanceId, outputs: { ...values, ...launch } };
    }),
  read: (id, state) =>
    inRegion(state, async (ec2) => {
      const [instance] = await ec2.instances({ InstanceIds: [id] });
      return ended.includes(instance?.State?.Name) ? undefined : state;
    }),
  update: (_id, olds, news) =>
    inRegion(news, async (ec2) => {
      const { fleetIds } = outcome.parse(olds);
      if (fleetIds.length > 0) await ec2.tag(fleetIds, inputs.parse(news).tags);
      return { ...olds, ...news };
    }),
  delete: (id, state, operation) =>
    inRegion(state, async (ec2) => {
      await ec2.terminate(id, operation.signal);
      await ec2.deleteFleets(outcome.parse(state).fleetIds);
    }),
};
