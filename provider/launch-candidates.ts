import type {
  _InstanceType,
  CreateFleetCommandOutput,
  FleetLaunchTemplateOverridesRequest,
  Instance,
} from "@aws-sdk/client-ec2";
import { hourlyTag } from "../components/identity.ts";
import type { LaunchRung } from "../components/gpu-host/host-launch.ts";
import { causeOf, type LaunchRefusal } from "../components/gpu-host/launch-refusal.ts";
import type { Purchase } from "../components/plan.ts";
import { UserError } from "../components/user-error.ts";
import type { Ec2Launch, ZonedSubnet } from "./adapters/ec2-launch.ts";

/** A rung in one zone, with its place on the ladder. */
export interface Candidate<Rung extends LaunchRung = LaunchRung> {
  readonly rung: Rung;
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

/** Whether EC2 offers the type in the zone; undefined where it may not be asked. */
export function offered(offerings: ReadonlySet<string> | undefined) {
  return ({ rung, subnet }: Candidate): boolean =>
    offerings === undefined || offerings.has(`${rung.instanceType} ${subnet.zone}`);
}

/** The refusal that stands for a type that a zone does not offer. */
export function notOffered({ rung, subnet }: Candidate): LaunchRefusal {
  return {
    instanceType: rung.instanceType,
    zone: subnet.zone,
    purchase: rung.purchase,
    cause: "unsupported",
    code: "NotOffered",
    message: "EC2 does not offer the type in this zone",
  };
}

/** Every rung in every zone that it may be launched in, in the order of the ladder. */
export function candidatesOf<Rung extends LaunchRung>(
  rungs: readonly Rung[],
  subnets: readonly ZonedSubnet[],
): readonly Candidate<Rung>[] {
  return rungs.flatMap((rung, priority) =>
    zonesOf(rung, subnets).map((subnet) => ({ rung, priority, subnet })),
  );
}

/** A candidate as a fleet is asked for it. */
export function overrideOf({
  rung,
  priority,
  subnet,
}: Candidate): FleetLaunchTemplateOverridesRequest {
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

/** What a fleet refused, candidate by candidate. */
export function refusalsOf(
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
export const hopeless =
  /^(UnauthorizedOperation|AuthFailure$|Invalid(LaunchTemplate|AMI|Group|Subnet))/;

/** The candidate that a fleet took; DescribeInstances may not know the instance in its first second. */
export function takenOf<Rung extends LaunchRung>(
  { Instances = [] }: CreateFleetCommandOutput,
  group: readonly Candidate<Rung>[],
): Rung & { readonly zone: string } {
  const [{ InstanceType, LaunchTemplateAndOverrides } = {}] = Instances;
  const subnetId = LaunchTemplateAndOverrides?.Overrides?.SubnetId;
  const ofType = group.filter(({ rung }) => rung.instanceType === InstanceType);
  const taken = ofType.find(({ subnet }) => subnet.subnetId === subnetId) ?? ofType[0];
  if (taken === undefined) throw new Error(`EC2 launched ${InstanceType ?? "an unknown type"}`);
  return { ...taken.rung, zone: taken.subnet.zone };
}

/** Tags instances with the price of their rung, where the template's tag says another: that of the first rung. */
export async function tagPrice(
  ec2: Ec2Launch,
  instanceIds: readonly string[],
  { totalHourlyUsd }: LaunchRung,
  rungs: readonly LaunchRung[],
): Promise<void> {
  if (totalHourlyUsd === rungs[0]?.totalHourlyUsd) return;
  await ec2.tag(instanceIds, { [hourlyTag]: totalHourlyUsd.toFixed(4) });
}

/** The rung of an instance that a launch left when it was cut off. */
export function rungOf<Rung extends LaunchRung>(
  instance: Instance,
  rungs: readonly Rung[],
): Rung & { readonly zone: string } {
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
