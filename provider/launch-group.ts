import type { CreateFleetCommandOutput, CreateFleetRequest, Instance } from "@aws-sdk/client-ec2";
import type { GroupRung, LaunchedGroupRung } from "../components/gpu-host/host-group.ts";
import {
  hostNotLaunched,
  nothingLaunched,
  refusalText,
  type LaunchRefusal,
} from "../components/gpu-host/launch-refusal.ts";
import { hostTag, hourlyTag } from "../components/identity.ts";
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

type Tags = Readonly<Record<string, string>>;
type Say = (line: string) => void;

/** What hosts of a group are launched from. */
export interface GroupGround {
  readonly region: string;
  /** Begins the name of each host: `<name>-0`. */
  readonly name: string;
  readonly templates: Readonly<Record<string, { readonly id: string; readonly version: string }>>;
  readonly subnetIds: readonly string[];
  /** Of the fleets that are asked for. */
  readonly tags: Tags;
}

/** What is asked of EC2: all of the hosts, of one rung, in one zone. */
export interface GroupWish extends GroupGround {
  readonly hosts: number;
  readonly rungs: readonly GroupRung[];
}

/** What EC2 gave. */
export interface GroupLaunch {
  readonly launched: LaunchedGroupRung;
  readonly fleetIds: readonly string[];
  readonly refusals: readonly LaunchRefusal[];
}

/** Instances of a group that run or are about to. */
export function liveOfGroup(
  ec2: Ec2Launch,
  templates: GroupGround["templates"],
  index?: number,
): Promise<readonly Instance[]> {
  return ec2.instances({
    Filters: [
      {
        Name: "tag:aws:ec2launchtemplate:id",
        Values: Object.values(templates).map(({ id }) => id),
      },
      { Name: "instance-state-name", Values: ["pending", "running"] },
      ...(index === undefined ? [] : [{ Name: `tag:${hostTag}`, Values: [String(index)] }]),
    ],
  });
}

function tagOf({ Tags = [] }: Instance, key: string): string | undefined {
  return Tags.find(({ Key }) => Key === key)?.Value;
}

function tagsOfHost(name: string, index: number): Tags {
  return { [hostTag]: String(index), Name: `${name}-${index}` };
}

/** One fleet for several hosts is answered with all of them or with none, of one type in one zone. */
function fleetRequest(
  ground: GroupGround,
  group: readonly Candidate<GroupRung>[],
  { count, hostTags }: { readonly count: number; readonly hostTags: Tags | undefined },
): CreateFleetRequest {
  const [first] = group;
  const template = first === undefined ? undefined : ground.templates[first.rung.template];
  if (first === undefined || template === undefined) throw new Error("a rung without a template");
  const { purchase } = first.rung;
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_OnDemandOptionsRequest.html: needs one of the two others.
  const whole =
    count === 1
      ? {}
      : { SingleInstanceType: true, SingleAvailabilityZone: true, MinTargetCapacity: count };
  const listed = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    Type: "instant",
    TargetCapacitySpecification: {
      TotalTargetCapacity: count,
      DefaultTargetCapacityType: purchase,
    },
    ...(purchase === "spot"
      ? { SpotOptions: { AllocationStrategy: "price-capacity-optimized", ...whole } }
      : { OnDemandOptions: { AllocationStrategy: "prioritized", ...whole } }),
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: { LaunchTemplateId: template.id, Version: template.version },
        Overrides: group.map(overrideOf),
      },
    ],
    TagSpecifications: [
      { ResourceType: "fleet", Tags: listed(ground.tags) },
      ...(hostTags === undefined
        ? []
        : [{ ResourceType: "instance" as const, Tags: listed(hostTags) }]),
    ],
  };
}

function instanceIdsOf({ Instances = [] }: CreateFleetCommandOutput): readonly string[] {
  return Instances.flatMap(({ InstanceIds = [] }) => InstanceIds);
}

/** Why what a fleet gave is no group; undefined when it is one. */
function notWhole(
  answer: CreateFleetCommandOutput,
  group: readonly Candidate<GroupRung>[],
  count: number,
): LaunchRefusal | undefined {
  const given = instanceIdsOf(answer).length;
  if (given === 0) return undefined;
  const places = new Set(
    (answer.Instances ?? []).map(({ InstanceType = "", LaunchTemplateAndOverrides }) => {
      return `${InstanceType} ${LaunchTemplateAndOverrides?.Overrides?.SubnetId ?? ""}`;
    }),
  );
  if (given === count && places.size === 1) return undefined;
  const { instanceType, purchase, zone } = takenOf(answer, group);
  const message = `gave ${given} of ${count} hosts${places.size > 1 ? ` in ${places.size} places` : ""}; they are taken down again`;
  return { instanceType, zone, purchase, cause: "capacity", code: "PartialLaunch", message };
}

interface Asked {
  readonly instanceIds: readonly string[];
  readonly launched: LaunchedGroupRung;
  readonly fleetId: string;
}

/** Asks for all hosts of one rung; undefined when it gave none, and then nothing of it is left. */
async function askFor(
  ec2: Ec2Launch,
  ground: GroupGround,
  group: readonly Candidate<GroupRung>[],
  asked: {
    readonly count: number;
    readonly hostTags?: Tags;
    readonly refusals: LaunchRefusal[];
    readonly say: Say;
  },
): Promise<Asked | undefined> {
  const { count, hostTags, refusals, say } = asked;
  const answer = await ec2.createFleet(fleetRequest(ground, group, { count, hostTags }));
  const { FleetId: fleetId = "" } = answer;
  const partial = notWhole(answer, group, count);
  const refused = [...refusalsOf(answer, group), ...(partial === undefined ? [] : [partial])];
  for (const refusal of refused) say(refusalText(refusal));
  refusals.push(...refused);
  const instanceIds = instanceIdsOf(answer);
  if (instanceIds.length > 0 && partial === undefined) {
    const launched = takenOf(answer, group);
    const { instanceType, purchase, zone } = launched;
    say(`${instanceType} ${purchase} in ${zone}: ${instanceIds.join(", ")}`);
    return { instanceIds, launched, fleetId };
  }
  await ec2.deleteFleets([fleetId]);
  if (refused.some(({ code }) => hopeless.test(code)))
    throw nothingLaunched(ground.region, refusals);
  return undefined;
}

/**
 * Numbers the hosts of a group from 0 in tags. Those that have a number keep it; more than were asked for are ended, which
 * happens only when a launch was cut off and fewer were asked for the next time.
 */
async function numberHosts(
  ec2: Ec2Launch,
  { name, hosts }: Pick<GroupWish, "name" | "hosts">,
  instances: readonly Instance[],
): Promise<void> {
  const numbered = new Map(instances.map((each) => [tagOf(each, hostTag), each]));
  const free = Array.from({ length: hosts }, (_, index) => index).filter(
    (index) => !numbered.has(String(index)),
  );
  const nameless = instances
    .filter((each) => tagOf(each, hostTag) === undefined)
    .map(({ InstanceId = "" }) => InstanceId)
    .toSorted();
  for (const [place, instanceId] of nameless.entries()) {
    const index = free[place];
    if (index === undefined) await ec2.terminate(instanceId, AbortSignal.timeout(600_000));
    else await ec2.tag([instanceId], tagsOfHost(name, index));
  }
}

/** The fleets that instances came from. */
function fleetsOf(instances: readonly Instance[]): readonly string[] {
  return [...new Set(instances.flatMap((each) => tagOf(each, "aws:ec2:fleet-id") ?? []))];
}

/** A launch that was cut off; undefined when nothing is left of one. */
async function leftBefore(
  ec2: Ec2Launch,
  wish: GroupWish,
  say: Say,
): Promise<GroupLaunch | undefined> {
  const instances = await liveOfGroup(ec2, wish.templates);
  const [first] = instances;
  if (first === undefined) return undefined;
  const ids = instances.map(({ InstanceId = "" }) => InstanceId);
  say(`${ids.join(", ")}: there from a launch that was cut off; taken`);
  const launched = rungOf(first, wish.rungs);
  await numberHosts(ec2, wish, instances);
  await tagPrice(ec2, ids, launched, wish.rungs);
  return { launched, fleetIds: fleetsOf(instances), refusals: [] };
}

/**
 * Walks the ladder until EC2 gives all hosts of a group in one zone; a rung that gives fewer is taken down and the next one
 * asked. What an earlier launch from the same templates left is taken instead.
 *
 * @throws UserError with the reason of each rung when none gave them all; no fleet is left then
 */
export async function launchGroup(ec2: Ec2Launch, wish: GroupWish, say: Say): Promise<GroupLaunch> {
  const left = await leftBefore(ec2, wish, say);
  if (left !== undefined) return left;
  const subnets = await ec2.subnets(wish.subnetIds);
  const offerings = await ec2.offerings(wish.rungs.map(({ instanceType }) => instanceType));
  const refusals: LaunchRefusal[] = [];
  for (const rung of wish.rungs) {
    const all = candidatesOf([rung], subnets);
    const possible = all.filter(offered(offerings));
    refusals.push(...all.filter((each) => !possible.includes(each)).map(notOffered));
    if (possible.length === 0) continue;
    const given = await askFor(ec2, wish, possible, { count: wish.hosts, refusals, say });
    if (given === undefined) continue;
    const { instanceIds, launched, fleetId } = given;
    await numberHosts(
      ec2,
      wish,
      instanceIds.map((InstanceId) => ({ InstanceId })),
    );
    await tagPrice(ec2, instanceIds, launched, wish.rungs);
    return { launched, fleetIds: [fleetId], refusals };
  }
  throw nothingLaunched(wish.region, refusals);
}

/** One host of a group that is there already. */
export interface HostWish extends GroupGround {
  readonly index: number;
  readonly launched: LaunchedGroupRung;
  /** Of the group: what came from them goes with it, and not with one host. */
  readonly groupFleetIds: readonly string[];
}

/**
 * The host of that number: the one that is there, else another of the group's type, in its zone and market, so that the group
 * stays whole after one was lost.
 *
 * @throws UserError naming the host when EC2 has no place for it; the others stay
 */
export async function launchOfGroup(
  ec2: Ec2Launch,
  wish: HostWish,
  say: Say,
): Promise<{ readonly instanceId: string; readonly fleetIds: readonly string[] }> {
  const { index, launched, name, groupFleetIds } = wish;
  const there = await liveOfGroup(ec2, wish.templates, index);
  const [found] = there;
  if (found?.InstanceId !== undefined) {
    const fleetIds = fleetsOf([found]).filter((id) => !groupFleetIds.includes(id));
    return { instanceId: found.InstanceId, fleetIds };
  }
  const subnets = await ec2.subnets(wish.subnetIds);
  const group = candidatesOf([{ ...launched, zones: [launched.zone] }], subnets);
  const refusals: LaunchRefusal[] = [];
  // With the stack's, since a deployer may tag at launch what says whose it is, and nothing else.
  const price = { [hourlyTag]: launched.totalHourlyUsd.toFixed(4) };
  const hostTags = { ...wish.tags, ...price, ...tagsOfHost(name, index) };
  const given = await askFor(ec2, wish, group, { count: 1, hostTags, refusals, say });
  const [instanceId] = given?.instanceIds ?? [];
  if (given === undefined || instanceId === undefined) throw hostNotLaunched(index, refusals);
  return { instanceId, fleetIds: [given.fleetId] };
}
