import * as ec2 from "@aws-sdk/client-ec2";
import type { Question } from "./question.ts";

/** EC2 makes a default VPC with subnets, a gateway and more in every region; these are not leftovers. */
async function defaultVpcs(client: ec2.EC2Client): Promise<Set<string | undefined>> {
  const { Vpcs = [] } = await client.send(new ec2.DescribeVpcsCommand());
  return new Set(Vpcs.filter((vpc) => vpc.IsDefault === true).map((vpc) => vpc.VpcId));
}

function ofEc2(
  kind: string,
  list: (
    client: ec2.EC2Client,
    defaults: Set<string | undefined>,
  ) => Promise<readonly (string | undefined)[]>,
): Question {
  return {
    service: "ec2",
    kind,
    ask: async (settings) => {
      const client = new ec2.EC2Client(settings);
      try {
        return await list(client, await defaultVpcs(client));
      } finally {
        client.destroy();
      }
    },
  };
}

const ended = new Set([
  "terminated",
  "deleted",
  "cancelled",
  "closed",
  "deleted_terminating",
  "deleted_running",
  "failed",
]);
const alive = (state: string | undefined): boolean => !ended.has(state ?? "");

/** What EC2 is asked. */
export const ec2Questions: readonly Question[] = [
  ofEc2("instance", async (client) => {
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand());
    const instances = Reservations.flatMap((each) => each.Instances ?? []);
    return instances.filter((each) => alive(each.State?.Name)).map((each) => each.InstanceId);
  }),
  ofEc2(
    "volume",
    async (client) =>
      (await client.send(new ec2.DescribeVolumesCommand())).Volumes?.map((each) => each.VolumeId) ??
      [],
  ),
  ofEc2("snapshot", async (client) => {
    const { Snapshots = [] } = await client.send(
      new ec2.DescribeSnapshotsCommand({ OwnerIds: ["self"] }),
    );
    // moto makes one for each of its own public images.
    return Snapshots.filter(
      (each) => !(each.Description ?? "").startsWith("Auto-created snapshot for AMI"),
    ).map((each) => each.SnapshotId);
  }),
  ofEc2("security-group", async (client) =>
    ((await client.send(new ec2.DescribeSecurityGroupsCommand())).SecurityGroups ?? [])
      .filter((each) => each.GroupName !== "default")
      .map((each) => each.GroupId),
  ),
  ofEc2("vpc", async (client, defaults) =>
    ((await client.send(new ec2.DescribeVpcsCommand())).Vpcs ?? [])
      .map((each) => each.VpcId)
      .filter((id) => !defaults.has(id)),
  ),
  ofEc2("subnet", async (client) =>
    ((await client.send(new ec2.DescribeSubnetsCommand())).Subnets ?? [])
      .filter((each) => each.DefaultForAz !== true)
      .map((each) => each.SubnetId),
  ),
  ofEc2("route-table", async (client, defaults) =>
    ((await client.send(new ec2.DescribeRouteTablesCommand())).RouteTables ?? [])
      .filter((each) => !defaults.has(each.VpcId))
      .map((each) => each.RouteTableId),
  ),
  ofEc2("internet-gateway", async (client, defaults) =>
    ((await client.send(new ec2.DescribeInternetGatewaysCommand())).InternetGateways ?? [])
      .filter((each) => each.Attachments?.some((one) => defaults.has(one.VpcId)) !== true)
      .map((each) => each.InternetGatewayId),
  ),
  ofEc2("nat-gateway", async (client) =>
    ((await client.send(new ec2.DescribeNatGatewaysCommand())).NatGateways ?? [])
      .filter((each) => alive(each.State))
      .map((each) => each.NatGatewayId),
  ),
  ofEc2("network-interface", async (client) =>
    ((await client.send(new ec2.DescribeNetworkInterfacesCommand())).NetworkInterfaces ?? []).map(
      (each) => each.NetworkInterfaceId,
    ),
  ),
  ofEc2("vpc-endpoint", async (client) =>
    ((await client.send(new ec2.DescribeVpcEndpointsCommand())).VpcEndpoints ?? [])
      .filter((each) => alive(each.State))
      .map((each) => each.VpcEndpointId),
  ),
  ofEc2(
    "key-pair",
    async (client) =>
      (await client.send(new ec2.DescribeKeyPairsCommand())).KeyPairs?.map(
        (each) => each.KeyName,
      ) ?? [],
  ),
  ofEc2(
    "placement-group",
    async (client) =>
      (await client.send(new ec2.DescribePlacementGroupsCommand())).PlacementGroups?.map(
        (each) => each.GroupName,
      ) ?? [],
  ),
  ofEc2(
    "launch-template",
    async (client) =>
      (await client.send(new ec2.DescribeLaunchTemplatesCommand())).LaunchTemplates?.map(
        (each) => each.LaunchTemplateId,
      ) ?? [],
  ),
  ofEc2("fleet", async (client) =>
    ((await client.send(new ec2.DescribeFleetsCommand())).Fleets ?? [])
      .filter((each) => alive(each.FleetState))
      .map((each) => each.FleetId),
  ),
  ofEc2("spot-request", async (client) =>
    ((await client.send(new ec2.DescribeSpotInstanceRequestsCommand())).SpotInstanceRequests ?? [])
      .filter((each) => alive(each.State))
      .map((each) => each.SpotInstanceRequestId),
  ),
  ofEc2(
    "address",
    async (client) =>
      (await client.send(new ec2.DescribeAddressesCommand())).Addresses?.map(
        (each) => each.AllocationId,
      ) ?? [],
  ),
];
