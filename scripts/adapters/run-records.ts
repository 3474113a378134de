import {
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeSpotPriceHistory,
  paginateDescribeVolumes,
  type Instance,
  type Volume,
} from "@aws-sdk/client-ec2";
import type { PricePoint, RunRecord, Usage } from "../../components/cost/usage.ts";
import { ownerTag, runTag, stackTag, type Tags } from "../../components/identity.ts";
import { timestamp } from "../../components/lease/lease.ts";
import { volumeHourlyUsd } from "../../components/pricing/hourly-cost.ts";
import { pricedRegions } from "../../components/pricing/region-prices.ts";
import { tagMap, type ClientSettings } from "./account-scope.ts";

/** `User initiated (2026-11-24 16:00:00 GMT)`: when an instance stopped or ended. */
const transition = /\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:GMT|UTC)\)/;

function endOf({ State, StateTransitionReason = "", LaunchTime }: Instance): string | undefined {
  if (State?.Name !== "terminated" && State?.Name !== "shutting-down") return undefined;
  const [, day, time] = transition.exec(StateTransitionReason) ?? [];
  if (day !== undefined && time !== undefined) return `${day}T${time}Z`;
  return LaunchTime === undefined ? undefined : timestamp(LaunchTime);
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

/** The recorded price of the deployment without its volumes: what the tag says is all of it. */
function recordedHourlyUsd(tags: Tags, volumesUsd: number): number {
  return Math.max(0, Number(tags["berth:hourly-usd"] ?? 0) - volumesUsd);
}

function volumeUsage({ VolumeId = "", Size = 0, CreateTime }: Volume, region: string): Usage {
  const from = timestamp(CreateTime ?? new Date(0));
  const hourlyUsd = pricedRegions.includes(region) ? volumeHourlyUsd(region, 1) : 0;
  const prices = [{ from, hourlyUsd }] as const;
  return {
    kind: "volume",
    resourceId: VolumeId,
    type: "gp3",
    units: Size,
    span: { from },
    prices: [...prices],
  };
}

async function instanceUsage(
  client: EC2Client,
  instance: Instance,
  volumesUsd: number,
): Promise<Usage> {
  const from = timestamp(instance.LaunchTime ?? new Date(0));
  const atLaunch = { from, hourlyUsd: recordedHourlyUsd(tagMap(instance.Tags), volumesUsd) };
  const history = instance.InstanceLifecycle === "spot" ? await spotPrices(client, instance) : [];
  const [first = atLaunch, ...rest] = history;
  return {
    kind: "instance",
    resourceId: instance.InstanceId ?? "",
    type: instance.InstanceType ?? "",
    units: 1,
    span: { from, to: endOf(instance) },
    prices: [first, ...rest],
  };
}

function identityOf(tags: Tags, region: string): Omit<RunRecord, "usages" | "charges"> {
  return {
    runId: tags[runTag] ?? "",
    stack: tags[stackTag] ?? "",
    env: tags["berth:env"] ?? "",
    owner: tags[ownerTag] ?? "",
    model: tags["berth:model"] ?? "",
    region,
  };
}

/** What EC2 knows now of every run of a region: its launches, from the tags of then. Instances are listed for an hour after their end. */
export async function recordRuns(
  settings: ClientSettings,
  region: string,
): Promise<readonly RunRecord[]> {
  const client = new EC2Client({ ...settings, region });
  const Filters = [{ Name: "tag-key", Values: [runTag] }];
  try {
    const instances: Instance[] = [];
    for await (const page of paginateDescribeInstances({ client }, { Filters })) {
      for (const { Instances = [] } of page.Reservations ?? []) instances.push(...Instances);
    }
    const volumes: Volume[] = [];
    for await (const page of paginateDescribeVolumes({ client }, { Filters })) {
      volumes.push(...(page.Volumes ?? []));
    }
    const runs = new Map<string, { tags: Tags; usages: Usage[] }>();
    const add = (tags: Tags, usage: Usage) => {
      const run = runs.get(tags[runTag] ?? "") ?? { tags, usages: [] };
      run.usages.push(usage);
      runs.set(tags[runTag] ?? "", run);
    };
    for (const volume of volumes) add(tagMap(volume.Tags), volumeUsage(volume, region));
    for (const instance of instances) {
      const tags = tagMap(instance.Tags);
      const disks = runs.get(tags[runTag] ?? "")?.usages ?? [];
      const volumesUsd = disks
        .filter(({ kind }) => kind === "volume")
        .reduce((sum, { units, prices }) => sum + units * prices[0].hourlyUsd, 0);
      add(tags, await instanceUsage(client, instance, volumesUsd));
    }
    return [...runs.values()].map(({ tags, usages }) => ({
      ...identityOf(tags, region),
      usages,
      charges: [],
    }));
  } finally {
    client.destroy();
  }
}
