import * as ec2 from "@aws-sdk/client-ec2";
import type { ClientSettings, Remnant } from "./account-scope.ts";
import type { NamedThing } from "./receipt/receipt-by-name.ts";

/** What a launch made: the instance, the spot request behind it, and its disks. */
export async function launchedThings(
  settings: ClientSettings,
  { outputs }: Pick<NamedThing, "outputs">,
): Promise<readonly Remnant[]> {
  const { instanceId } = outputs;
  if (typeof instanceId !== "string") return [];
  const client = new ec2.EC2Client(settings);
  const filtered = (Name: string) => ({ Filters: [{ Name, Values: [instanceId] }] });
  try {
    const [instances, requests, volumes] = await Promise.all([
      client.send(new ec2.DescribeInstancesCommand(filtered("instance-id"))),
      client.send(new ec2.DescribeSpotInstanceRequestsCommand(filtered("instance-id"))),
      client.send(new ec2.DescribeVolumesCommand(filtered("attachment.instance-id"))),
    ]);
    const live = (instances.Reservations ?? [])
      .flatMap(({ Instances = [] }) => Instances)
      .filter(({ State }) => !/^(terminated|shutting-down)$/.test(State?.Name ?? ""));
    const open = (requests.SpotInstanceRequests ?? []).filter(
      ({ State }) => State === "open" || State === "active",
    );
    const remnant = (kind: string, id = "") => ({ service: "ec2", kind, id });
    return [
      ...live.map(({ InstanceId }) => remnant("instance", InstanceId)),
      ...open.map(({ SpotInstanceRequestId }) => remnant("spot-request", SpotInstanceRequestId)),
      ...(volumes.Volumes ?? []).map(({ VolumeId }) => remnant("volume", VolumeId)),
    ];
  } finally {
    client.destroy();
  }
}
