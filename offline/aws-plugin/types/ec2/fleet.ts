import type {
  CreateFleetError,
  CreateFleetInstance,
  CreateFleetRequest,
  DescribeFleetsInstances,
  FleetData,
} from "@aws-sdk/client-ec2";
import { OfflineError } from "../../../offline-error.ts";
import { fromAws, toAws } from "../../engine/casing.ts";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { boolean, list, number, object, string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import type { Properties } from "../../engine/wire.ts";
import { ec2Arn, tagEc2, tagSpecification } from "./ec2-tags.ts";
import { findInstances, terminateInstances } from "./instances.ts";

const inputs = {
  type: string({ default: "maintain", replace: true }),
  context: string(),
  excessCapacityTerminationPolicy: string({ default: "termination" }),
  replaceUnhealthyInstances: boolean({ default: false, replace: true }),
  terminateInstances: boolean({ default: false }),
  terminateInstancesWithExpiration: boolean({ default: false, replace: true }),
  validFrom: string({ replace: true }),
  validUntil: string({ replace: true }),
  launchTemplateConfigs: list(
    object({
      launchTemplateSpecification: object({
        launchTemplateId: string(),
        launchTemplateName: string(),
        version: string({ required: true }),
      }),
      overrides: list(
        object({
          availabilityZone: string(),
          instanceType: string(),
          maxPrice: string(),
          priority: number(),
          subnetId: string(),
          weightedCapacity: number(),
        }),
      ),
    }),
    { required: true },
  ),
  onDemandOptions: object(
    {
      allocationStrategy: string({ default: "lowestPrice" }),
      maxTotalPrice: string(),
      minTargetCapacity: number(),
      singleAvailabilityZone: boolean(),
      singleInstanceType: boolean(),
    },
    { replace: true },
  ),
  spotOptions: object(
    {
      allocationStrategy: string({ default: "lowestPrice" }),
      instanceInterruptionBehavior: string({ default: "terminate" }),
      instancePoolsToUseCount: number(),
      maxTotalPrice: string(),
      minTargetCapacity: number(),
      singleAvailabilityZone: boolean(),
      singleInstanceType: boolean(),
    },
    { replace: true },
  ),
  targetCapacitySpecification: object(
    {
      defaultTargetCapacityType: string({ required: true, replace: true }),
      totalTargetCapacity: number({ required: true }),
      onDemandTargetCapacity: number({ computed: true }),
      spotTargetCapacity: number({ computed: true }),
      targetCapacityUnitType: string({ replace: true }),
    },
    { required: true },
  ),
};

/** What EC2 calls allocation strategies differently from Pulumi. */
const strategies: Readonly<Record<string, string>> = {
  lowestPrice: "lowest-price",
  capacityOptimized: "capacity-optimized",
  capacityOptimizedPrioritized: "capacity-optimized-prioritized",
  priceCapacityOptimized: "price-capacity-optimized",
};

function strategyOf(options: unknown): object {
  const { AllocationStrategy, ...rest } = toAws(options) as { AllocationStrategy?: string };
  if (AllocationStrategy === undefined) return rest;
  return { ...rest, AllocationStrategy: strategies[AllocationStrategy] ?? AllocationStrategy };
}

function request(given: Properties): CreateFleetRequest {
  const configs = toAws(
    given["launchTemplateConfigs"],
  ) as CreateFleetRequest["LaunchTemplateConfigs"];
  const target = toAws(given["targetCapacitySpecification"]);
  const { onDemandOptions, spotOptions } = given;
  return {
    Type: "instant",
    LaunchTemplateConfigs: configs,
    TargetCapacitySpecification: target as CreateFleetRequest["TargetCapacitySpecification"],
    ...(onDemandOptions === undefined ? {} : { OnDemandOptions: strategyOf(onDemandOptions) }),
    ...(spotOptions === undefined ? {} : { SpotOptions: strategyOf(spotOptions) }),
  };
}

function noInstance(errors: readonly CreateFleetError[]): OfflineError {
  const lines = errors.map(({ ErrorCode = "", ErrorMessage = "", LaunchTemplateAndOverrides }) => {
    const { InstanceType, SubnetId, AvailabilityZone } =
      LaunchTemplateAndOverrides?.Overrides ?? {};
    const where = [InstanceType, AvailabilityZone ?? SubnetId].filter((one) => one !== undefined);
    return `  ${where.join(" in ")}: ${ErrorCode}: ${ErrorMessage}`;
  });
  const why = lines.length === 0 ? " and gave no reason" : `:\n${[...new Set(lines)].join("\n")}`;
  return new OfflineError(
    `EC2 launched no instance for the fleet${why}`,
    "Try other instance types, zones or another region, or ask for quota; nothing was left behind.",
  );
}

type Launched = CreateFleetInstance | DescribeFleetsInstances;

function instanceSet({ InstanceIds, InstanceType, Lifecycle, Platform }: Launched): object {
  return {
    instanceIds: InstanceIds ?? [],
    instanceType: InstanceType ?? "",
    lifecycle: Lifecycle ?? "",
    platform: Platform ?? "",
  };
}

async function find(context: Context, id: string): Promise<FleetData | undefined> {
  const ec2 = await context.clients.ec2();
  const answer = await unlessGone(ec2.describeFleets({ FleetIds: [id] }));
  const found = answer?.Fleets?.find(({ FleetId }) => FleetId === id);
  // EC2 writes deleted_terminating, its SDK's types and emulations deleted-terminating.
  return found?.FleetState?.startsWith("deleted") === true ? undefined : found;
}

/** Who the fleet launched: what EC2 says of the fleet, and the tag that it puts on instances. */
async function launchedBy(context: Context, id: string, state: Properties): Promise<string[]> {
  const ec2 = await context.clients.ec2();
  const Filters = [{ Name: "tag:aws:ec2:fleet-id", Values: [id] }];
  const tagged = await findInstances(ec2, { Filters });
  const sets = (state["fleetInstanceSets"] ?? []) as { readonly instanceIds?: readonly string[] }[];
  const known = sets.flatMap(({ instanceIds = [] }) => instanceIds);
  const described = ((await find(context, id))?.Instances ?? []).flatMap(
    ({ InstanceIds = [] }) => InstanceIds,
  );
  const all = [...known, ...described, ...tagged.map(({ InstanceId = "" }) => InstanceId)];
  return [...new Set(all)];
}

/** Deletes the fleet itself; EC2 says what it could not delete in its answer. */
async function deleteFleet(context: Context, id: string): Promise<void> {
  const ec2 = await context.clients.ec2();
  const remove = (TerminateInstances: boolean) =>
    unlessGone(ec2.deleteFleets({ FleetIds: [id], TerminateInstances }));
  // An instant fleet cannot leave instances behind: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteFleets.html
  const answer = await remove(true).catch((cause: unknown) => {
    // moto refuses to terminate none.
    if (cause instanceof Error && cause.name === "InvalidParameterCombination")
      return remove(false);
    throw cause;
  });
  const error = answer?.UnsuccessfulFleetDeletions?.[0]?.Error;
  if (error !== undefined && error.Code !== "fleetIdDoesNotExist") {
    throw new Error(`${error.Code ?? "DeleteFleets"}: ${error.Message ?? "failed"}`);
  }
}

async function end(context: Context, id: string, state: Properties): Promise<void> {
  const instances = await launchedBy(context, id, state);
  if ((await find(context, id)) !== undefined) await deleteFleet(context, id);
  await terminateInstances(context, instances);
}

/** Instances taken at once from a list of types and subnets (`instant`). */
export const fleet = resourceType({
  token: "aws:ec2/fleet:Fleet",
  inputs,
  outputs: [
    "arn",
    "fleetInstanceSets",
    "fleetState",
    "fulfilledCapacity",
    "fulfilledOnDemandCapacity",
  ],
  tag: tagEc2,
  check: ({ type }) =>
    type === "instant" ? {} : { type: "this plugin has fleets of type instant only; set it" },
  create: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const made = await ec2.createFleet({
      ...request(given),
      Context: given.context,
      ...tagSpecification("fleet", given.tagsAll),
    });
    const id = made.FleetId ?? "";
    const launched = (made.Instances ?? []).flatMap(({ InstanceIds = [] }) => InstanceIds);
    if (launched.length === 0) {
      await end(context, id, {});
      throw noInstance(made.Errors ?? []);
    }
    return { id, known: { fleetInstanceSets: (made.Instances ?? []).map(instanceSet) } };
  },
  read: async (context, id, state) => {
    const found = await find(context, id);
    if (found === undefined) return undefined;
    const sets = found.Instances ?? [];
    const launched = sets.length === 0 ? {} : { fleetInstanceSets: sets.map(instanceSet) };
    const imported = state["targetCapacitySpecification"] === undefined;
    return {
      arn: await ec2Arn(context, `fleet/${id}`),
      type: found.Type,
      fleetState: found.FleetState ?? "active",
      fulfilledCapacity: found.FulfilledCapacity ?? 0,
      fulfilledOnDemandCapacity: found.FulfilledOnDemandCapacity ?? 0,
      ...launched,
      ...(imported
        ? { targetCapacitySpecification: fromAws(found.TargetCapacitySpecification) }
        : {}),
      tagsAll: tagMap(found.Tags),
    };
  },
  // EC2 does not modify an instant fleet: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyFleet.html
  update: (_context, _id, { changed }) => {
    const fixed = ["launchTemplateConfigs", "targetCapacitySpecification"];
    if (!fixed.some((key) => changed.has(key))) return Promise.resolve();
    throw new OfflineError(
      "An instant fleet cannot be changed once it has launched.",
      "Replace it (replaceOnChanges), or ignore the change (ignoreChanges).",
    );
  },
  delete: end,
});
