import type { CreateFleetRequest } from "@aws-sdk/client-ec2";
import type { LaunchedRung, LaunchRung } from "../components/gpu-host/host-launch.ts";
import {
  nothingLaunched,
  refusalText,
  type LaunchRefusal,
} from "../components/gpu-host/launch-refusal.ts";
import type { Purchase } from "../components/plan.ts";
import type { Ec2Launch } from "./adapters/ec2-launch.ts";
import {
  candidatesOf,
  hopeless,
  notOffered,
  offered,
  overrideOf,
  refusalsOf,
  rungOf,
  tagPrice,
  takenOf,
  type Candidate,
} from "./launch-candidates.ts";

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
        Overrides: group.map(overrideOf),
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
    await tagPrice(ec2, [left.instanceId], left.launched, wish.rungs);
    return left;
  }
  const subnets = await ec2.subnets(wish.subnetIds);
  const offerings = await ec2.offerings(wish.rungs.map(({ instanceType }) => instanceType));
  const all = candidatesOf(wish.rungs, subnets);
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
  await tagPrice(ec2, [instanceId], launched, wish.rungs);
  return { instanceId, launched, fleetIds: [fleetId] };
}
