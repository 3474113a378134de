import {
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeSpotPriceHistory,
  paginateDescribeVolumes,
  type Instance,
  type Volume,
} from "@aws-sdk/client-ec2";
import type { Interval, PricePoint, Usage } from "../../../components/cost/usage.ts";
import { runTag, type Tags } from "../../../components/identity.ts";
import { timestamp } from "../../../components/lease/lease.ts";
import { volumeHourlyUsd } from "../../../components/pricing/hourly-cost.ts";
import { pricedRegions, regionPrices } from "../../../components/pricing/region-prices.ts";
import { tagMap, type ClientSettings } from "../account-scope.ts";

/** A thing that was paid for, with the tags that say for whom. */
export interface TaggedUsage {
  readonly tags: Tags;
  readonly usage: Usage;
}

/** `User initiated (2026-11-24 16:00:00 GMT)`: when an instance stopped or ended. */
const transition = /\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:GMT|UTC)\)/;

function transitionTime({ StateTransitionReason = "" }: Instance): string | undefined {
  const [, day, time] = transition.exec(StateTransitionReason) ?? [];
  return day === undefined || time === undefined ? undefined : `${day}T${time}Z`;
}

function endOf(instance: Instance): string | undefined {
  const { State, LaunchTime } = instance;
  if (State?.Name !== "terminated" && State?.Name !== "shutting-down") return undefined;
  const fallback = LaunchTime === undefined ? undefined : timestamp(LaunchTime);
  return transitionTime(instance) ?? fallback;
}

/** EC2 tells of the stop that lasts, and of none before it. */
function stopOf(instance: Instance): readonly Interval[] {
  const { State } = instance;
  if (State?.Name !== "stopped" && State?.Name !== "stopping") return [];
  const from = transitionTime(instance);
  return from === undefined ? [] : [{ from }];
}

/** Prices of a spot pool since a launch, per hour; none where AWS tells none. */
async function spotPrices(client: EC2Client, instance: Instance): Promise<readonly PricePoint[]> {
  const points: PricePoint[] = [];
  const asked = {
    AvailabilityZone: instance.Placement?.AvailabilityZone,
    InstanceTypes: instance.InstanceType === undefined ? [] : [instance.InstanceType],
    ProductDescriptions: ["Linux/UNIX"],
    StartTime: instance.LaunchTime,
  };
  for await (const page of paginateDescribeSpotPriceHistory({ client }, asked)) {
    for (const { SpotPrice, Timestamp } of page.SpotPriceHistory ?? []) {
      if (SpotPrice === undefined || Timestamp === undefined) continue;
      points.push({ from: timestamp(Timestamp), hourlyUsd: Number(SpotPrice) });
    }
  }
  return points.toSorted((a, b) => a.from.localeCompare(b.from));
}

function volumeUsage({ VolumeId = "", Size = 0, CreateTime }: Volume, region: string): Usage {
  const from = timestamp(CreateTime ?? new Date(0));
  const hourlyUsd = pricedRegions.includes(region) ? volumeHourlyUsd(region, 1) : 0;
  return {
    kind: "volume",
    resourceId: VolumeId,
    type: "gp3",
    units: Size,
    span: { from },
    prices: [{ from, hourlyUsd }],
  };
}

/** A public IPv4 address that AWS lends an instance while it runs; an instance that has ended tells of none. */
function addressUsage(instance: Instance, region: string): Usage | undefined {
  const { PublicIpAddress, InstanceId = "", LaunchTime = new Date(0) } = instance;
  if (PublicIpAddress === undefined || !pricedRegions.includes(region)) return undefined;
  const from = timestamp(LaunchTime);
  return {
    kind: "address",
    resourceId: `${InstanceId}/public-ipv4`,
    type: "public IPv4",
    units: 1,
    span: { from },
    prices: [{ from, hourlyUsd: regionPrices(region).publicIpv4HourlyUsd }],
    stopped: stopOf(instance),
  };
}

/** @param partsUsd an hour of what the tag's price holds beside the instance */
async function instanceUsage(
  client: EC2Client,
  instance: Instance,
  partsUsd: number,
): Promise<Usage> {
  const from = timestamp(instance.LaunchTime ?? new Date(0));
  const recorded = Number(tagMap(instance.Tags)["berth:hourly-usd"] ?? 0);
  const atLaunch = { from, hourlyUsd: Math.max(0, recorded - partsUsd) };
  const history = instance.InstanceLifecycle === "spot" ? await spotPrices(client, instance) : [];
  const [first = atLaunch, ...rest] = history;
  return {
    kind: "instance",
    resourceId: instance.InstanceId ?? "",
    type: instance.InstanceType ?? "",
    units: 1,
    span: { from, to: endOf(instance) },
    prices: [first, ...rest],
    stopped: stopOf(instance),
  };
}

function hourlyUsd({ units, prices }: Usage): number {
  return units * prices[0].hourlyUsd;
}

/**
 * Instances, volumes and public addresses of all runs in a region, from the tags of their launch. Instances are listed for
 * an hour after their end.
 */
export async function hostUsages(
  settings: ClientSettings,
  region: string,
): Promise<readonly TaggedUsage[]> {
  const client = new EC2Client({ ...settings, region });
  const Filters = [{ Name: "tag-key", Values: [runTag] }];
  try {
    const found: TaggedUsage[] = [];
    for await (const page of paginateDescribeVolumes({ client }, { Filters })) {
      for (const volume of page.Volumes ?? []) {
        found.push({ tags: tagMap(volume.Tags), usage: volumeUsage(volume, region) });
      }
    }
    const volumesUsd = new Map<string, number>();
    for (const { tags, usage } of found) {
      const run = tags[runTag] ?? "";
      volumesUsd.set(run, (volumesUsd.get(run) ?? 0) + hourlyUsd(usage));
    }
    for await (const page of paginateDescribeInstances({ client }, { Filters })) {
      for (const instance of (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances)) {
        const tags = tagMap(instance.Tags);
        const address = addressUsage(instance, region);
        if (address !== undefined) found.push({ tags, usage: address });
        const addressUsd = address === undefined ? 0 : hourlyUsd(address);
        const partsUsd = (volumesUsd.get(tags[runTag] ?? "") ?? 0) + addressUsd;
        found.push({ tags, usage: await instanceUsage(client, instance, partsUsd) });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}
