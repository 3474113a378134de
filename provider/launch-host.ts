import type {
  _InstanceType,
  CreateFleetCommandOutput,
  CreateFleetRequest,
  FleetLaunchTemplateOverridesRequest,
  Instance,
} from "@aws-sdk/client-ec2";
import { hourlyTag } from "../components/identity.ts";
import type { LaunchedRung, LaunchRung } from "../components/gpu-host/host-launch.ts";
import {
  causeOf,
  nothingLaunched,
  refusalText,
  type LaunchRefusal,
} from "../components/gpu-host/launch-refusal.ts";
import type { Purchase } from "../components/plan.ts";
import { UserError } from "../components/user-error.ts";
import type { Ec2Launch, ZonedSubnet } from "./adapters/ec2-launch.ts";

/** What is asked of EC2. */
export interface LaunchWish {
  readonly region: string;
  readonly templates: Readonly<
    Partial<Record<Purchase, { readonly id: string; readonly version: string }>>
  >;
  readonly subnetIds: readonly string[];
  readonly rungs: readonly LaunchRung[];
  readonly tags: Readonly<Record<string, string>>;
}

/** What EC2 gave. */
export interface Launch {
  readonly instanceId: string;
  readonly launched: LaunchedRung;
  readonly fleetIds: readonly string[];
  readonly refusals: readonly LaunchRefusal[];
}

/** A rung in one zone, with its place on the ladder. */
interface Candidate {
  readonly rung: LaunchRung;
  readonly priority: number;
  readonly subnet: ZonedSubnet;
}

/** EC2 takes one subnet a zone; the wish of a rung decides which zones, and in which order. */
function zonesOf(rung: LaunchRung, subnets: readonly ZonedSubnet[]): readonly ZonedSubnet[] {
  const byZone = new Map(subnets.toReversed().map((subnet) => [subnet.zone, subnet]));
  if (rung.zones.length === 0) {
    return [...byZone.values()].toSorted((a, b) => subnets.indexOf(a) - subnets.indexOf(b));
  }
  return rung.zones.flatMap((zone) => byZone.get(zone) ?? []);
}

function offered(offerings: ReadonlySet<string> | undefined) {
  return ({ rung, subnet }: Candidate): boolean =>
    offerings === undefined || offerings.has(`${rung.instanceType} ${subnet.zone}`);
}

function notOffered({ rung, subnet }: Candidate): LaunchRefusal {
  return {
    instanceType: rung.instanceType,
    zone: subnet.zone,
    purchase: rung.purchase,
    cause: "unsupported",
    code: "NotOffered",
    message: "EC2 does not offer the type in this zone",
  };
}

/** Rungs of one market that follow each other: EC2 is asked for all of them at once. */
function byMarket(candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const groups: Candidate[][] = [];
  for (const candidate of candidates) {
    const last = groups.at(-1);
    if (last?.[0]?.rung.purchase === candidate.rung.purchase) last.push(candidate);
    else groups.push([candidate]);
  }
  return groups;
}

function override({ rung, priority, subnet }: Candidate): FleetLaunchTemplateOverridesRequest {
  const { instanceType, purchase, spotMaxHourlyUsd } = rung;
  return {
    InstanceType: instanceType as _InstanceType,
    SubnetId: subnet.subnetId,
    ...(purchase === "on-demand" ? { Priority: priority } : {}),
    ...(purchase === "spot" && spotMaxHourlyUsd !== undefined
      ? { MaxPrice: String(spotMaxHourlyUsd) }
      : {}),
  };
}

/**
 * A fleet that is answered at once and gone then, so that nothing comes back after a teardown. On demand it keeps the order;
 * on spot it takes the pool that is cheapest among those least likely to be reclaimed
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-allocation-strategy.html).
 */
function fleetRequest(wish: LaunchWish, group: readonly Candidate[]): CreateFleetRequest {
  const purchase = group[0]?.rung.purchase ?? "on-demand";
  const template = wish.templates[purchase];
  if (template === undefined) throw new Error(`no launch template for ${purchase}`);
  const strategy =
    purchase === "spot"
      ? ({ SpotOptions: { AllocationStrategy: "price-capacity-optimized" } } as const)
      : ({ OnDemandOptions: { AllocationStrategy: "prioritized" } } as const);
  return {
    Type: "instant",
    TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: purchase },
    ...strategy,
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: template.id, Version: template.version },
        Overrides: group.map(override),
      },
    ],
    TagSpecifications: [
      {
        ResourceType: "fleet",
        Tags: Object.entries(wish.tags).map(([Key, Value]) => ({ Key, Value })),
      },
    ],
  };
}

function refusalsOf(
  { Errors = [] }: CreateFleetCommandOutput,
  group: readonly Candidate[],
): readonly LaunchRefusal[] {
  return Errors.map(({ ErrorCode = "", ErrorMessage = "", LaunchTemplateAndOverrides }) => {
    const { InstanceType, SubnetId = "" } = LaunchTemplateAndOverrides?.Overrides ?? {};
    const zone = group.find(({ subnet }) => subnet.subnetId === SubnetId)?.subnet.zone;
    return {
      instanceType: InstanceType ?? "any type",
      zone: zone ?? SubnetId,
      purchase: group[0]?.rung.purchase ?? "on-demand",
      cause: causeOf(ErrorCode),
      code: ErrorCode,
      message: ErrorMessage,
    };
  });
}

/** Codes that say something about the account or the request, and so the same on every rung. */
const hopeless = /^(UnauthorizedOperation|AuthFailure$|Invalid(LaunchTemplate|AMI|Group|Subnet))/;

/** The candidate that a fleet took; DescribeInstances may not know the instance in its first second. */
function takenOf(
  { Instances = [] }: CreateFleetCommandOutput,
  group: readonly Candidate[],
): LaunchedRung {
  const [{ InstanceType, LaunchTemplateAndOverrides } = {}] = Instances;
  const subnetId = LaunchTemplateAndOverrides?.Overrides?.SubnetId;
  const ofType = group.filter(({ rung }) => rung.instanceType === InstanceType);
  const taken = ofType.find(({ subnet }) => subnet.subnetId === subnetId) ?? ofType[0];
  if (taken === undefined) throw new Error(`EC2 launched ${InstanceType ?? "an unknown type"}`);
  return { ...taken.rung, zone: taken.subnet.zone };
}

/** The template's tag says the price of the first rung. */
async function tagPrice(
  ec2: Ec2Launch,
  instanceId: string,
  { totalHourlyUsd }: LaunchedRung,
  { rungs }: LaunchWish,
): Promise<void> {
  if (totalHourlyUsd === rungs[0]?.totalHourlyUsd) return;
  await ec2.tag([instanceId], { [hourlyTag]: totalHourlyUsd.toFixed(4) });
}

/** The rung of an instance that a launch left when it was cut off. */
function rungOf(instance: Instance, rungs: readonly LaunchRung[]): LaunchedRung {
  const { InstanceId: instanceId = "", InstanceType, InstanceLifecycle, Placement } = instance;
  const purchase: Purchase = InstanceLifecycle === "spot" ? "spot" : "on-demand";
  const rung = rungs.find(
    (each) => each.instanceType === InstanceType && each.purchase === purchase,
  );
  if (rung === undefined) {
    throw new UserError(`${instanceId} is no instance of the ladder.`, {
      problems: [`it is a ${InstanceType ?? "type that is not known"}, ${purchase}`],
      hint: "Take the stack down and bring it up again.",
    });
  }
  return { ...rung, zone: Placement?.AvailabilityZone ?? "" };
}

/** What an earlier launch from the same templates left running when it was cut off. */
async function leftBefore(ec2: Ec2Launch, wish: LaunchWish): Promise<Launch | undefined> {
  const ids = Object.values(wish.templates).map(({ id }) => id);
  const found = await ec2.instances({
    Filters: [
      { Name: "tag:aws:ec2launchtemplate:id", Values: ids },
      { Name: "instance-state-name", Values: ["pending", "running"] },
    ],
  });
  const [instance] = found;
  if (instance?.InstanceId === undefined) return undefined;
  const fleet = instance.Tags?.find(({ Key }) => Key === "aws:ec2:fleet-id")?.Value;
  const { InstanceId: instanceId } = instance;
  const launched = rungOf(instance, wish.rungs);
  return { instanceId, launched, fleetIds: fleet === undefined ? [] : [fleet], refusals: [] };
}

/**
 * Walks the ladder until EC2 gives an instance. An instance that an earlier launch from the same templates left is taken
 * instead, so that one that was cut off is not paid twice.
 *
 * @throws UserError with the reason of each rung when none gave one; no fleet is left then
 */
export async function launchHost(
  ec2: Ec2Launch,
  wish: LaunchWish,
  say: (line: string) => void,
): Promise<Launch> {
  const left = await leftBefore(ec2, wish);
  if (left !== undefined) {
    say(`${left.instanceId} is there from a launch that was cut off; it is taken`);
    await tagPrice(ec2, left.instanceId, left.launched, wish);
    return left;
  }
  const subnets = await ec2.subnets(wish.subnetIds);
  const offerings = await ec2.offerings(wish.rungs.map(({ instanceType }) => instanceType));
  const all = wish.rungs.flatMap((rung, priority) =>
    zonesOf(rung, subnets).map((subnet) => ({ rung, priority, subnet })),
  );
  const refusals: LaunchRefusal[] = all
    .filter((candidate) => !offered(offerings)(candidate))
    .map(notOffered);
  for (const group of byMarket(all.filter(offered(offerings)))) {
    const launch = await askFor(ec2, wish, group, { refusals, say });
    if (launch !== undefined) return { ...launch, refusals };
  }
  throw nothingLaunched(wish.region, refusals);
}

interface Walk {
  readonly refusals: LaunchRefusal[];
  readonly say: (line: string) => void;
}

async function askFor(
  ec2: Ec2Launch,
  wish: LaunchWish,
  group: readonly Candidate[],
  { refusals, say }: Walk,
): Promise<Omit<Launch, "refusals"> | undefined> {
  const answer = await ec2.createFleet(fleetRequest(wish, group));
  const { FleetId: fleetId = "" } = answer;
  const refused = refusalsOf(answer, group);
  for (const refusal of refused) say(refusalText(refusal));
  refusals.push(...refused);
  const instanceId = answer.Instances?.flatMap(({ InstanceIds = [] }) => InstanceIds)[0];
  if (instanceId === undefined) {
    await ec2.deleteFleets([fleetId]);
    if (refused.some(({ code }) => hopeless.test(code))) {
      throw nothingLaunched(wish.region, refusals);
    }
    return undefined;
  }
  const launched = takenOf(answer, group);
  say(`${launched.instanceType} ${launched.purchase} in ${launched.zone}: ${instanceId}`);
  await tagPrice(ec2, instanceId, launched, wish);
  return { instanceId, launched, fleetIds: [fleetId] };
}
