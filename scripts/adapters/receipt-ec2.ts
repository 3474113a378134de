import {
  EC2Client,
  paginateDescribeFleets,
  paginateDescribeInstances,
  paginateDescribeInternetGateways,
  paginateDescribeLaunchTemplates,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSnapshots,
  paginateDescribeSpotInstanceRequests,
  paginateDescribeSubnets,
  paginateDescribeVolumes,
  paginateDescribeVpcEndpoints,
  paginateDescribeVpcs,
  DescribeAddressesCommand,
  DescribeKeyPairsCommand,
} from "@aws-sdk/client-ec2";
import {
  isTagged,
  scopeTag,
  type AccountScope,
  type Question,
  type Remnant,
} from "./account-scope.ts";

/** One thing of EC2; without a state it is simply there. */
interface Found {
  readonly id: string | undefined;
  readonly state?: string | undefined;
}

type Filters = { Name: string; Values: string[] }[];

/** How things of one kind are listed. EC2's own tag list will not do: it still names what is deleted. */
type Lister = (
  client: EC2Client,
  filters: Filters,
  scope: AccountScope,
) => Promise<readonly Found[]>;

/** EC2 goes on listing what has ended, for up to an hour. */
const ended = [
  "terminated",
  "shutting-down",
  "deleted",
  "deleting",
  "cancelled",
  "closed",
  "failed",
];

async function every<Page>(
  pages: AsyncIterable<Page>,
  found: (page: Page) => readonly Found[] | undefined,
): Promise<readonly Found[]> {
  const all: Found[] = [];
  for await (const page of pages) all.push(...(found(page) ?? []));
  return all;
}

const listers: Readonly<Record<string, Lister>> = {
  instance: (client, Filters) =>
    every(paginateDescribeInstances({ client }, { Filters }), ({ Reservations }) =>
      Reservations?.flatMap(({ Instances = [] }) =>
        Instances.map(({ InstanceId, State }) => ({ id: InstanceId, state: State?.Name })),
      ),
    ),
  volume: (client, Filters) =>
    every(paginateDescribeVolumes({ client }, { Filters }), ({ Volumes }) =>
      Volumes?.map(({ VolumeId, State }) => ({ id: VolumeId, state: State })),
    ),
  snapshot: (client, Filters) =>
    every(paginateDescribeSnapshots({ client }, { Filters, OwnerIds: ["self"] }), (page) =>
      page.Snapshots?.map(({ SnapshotId, State }) => ({ id: SnapshotId, state: State })),
    ),
  // Fleets cannot be asked for by tag.
  fleet: (client, _filters, scope) =>
    every(paginateDescribeFleets({ client }, {}), ({ Fleets }) =>
      Fleets?.filter(({ Tags }) => isTagged(Tags, scope)).map(({ FleetId, FleetState }) => ({
        id: FleetId,
        // "deleted_running" has instances yet, and those are asked for themselves.
        state: FleetState?.replace(/^deleted_.*/, "deleted"),
      })),
    ),
  "spot-request": (client, Filters) =>
    every(paginateDescribeSpotInstanceRequests({ client }, { Filters }), (page) =>
      page.SpotInstanceRequests?.map(({ SpotInstanceRequestId, State }) => {
        return { id: SpotInstanceRequestId, state: State };
      }),
    ),
  "launch-template": (client, Filters) =>
    every(paginateDescribeLaunchTemplates({ client }, { Filters }), ({ LaunchTemplates }) =>
      LaunchTemplates?.map(({ LaunchTemplateId }) => ({ id: LaunchTemplateId })),
    ),
  "network-interface": (client, Filters) =>
    every(paginateDescribeNetworkInterfaces({ client }, { Filters }), ({ NetworkInterfaces }) =>
      NetworkInterfaces?.map(({ NetworkInterfaceId }) => ({ id: NetworkInterfaceId })),
    ),
  "security-group": (client, Filters) =>
    every(paginateDescribeSecurityGroups({ client }, { Filters }), ({ SecurityGroups }) =>
      SecurityGroups?.map(({ GroupId }) => ({ id: GroupId })),
    ),
  "vpc-endpoint": (client, Filters) =>
    every(paginateDescribeVpcEndpoints({ client }, { Filters }), ({ VpcEndpoints }) =>
      VpcEndpoints?.map(({ VpcEndpointId, State }) => ({
        id: VpcEndpointId,
        state: State?.toLowerCase(),
      })),
    ),
  "route-table": (client, Filters) =>
    every(paginateDescribeRouteTables({ client }, { Filters }), ({ RouteTables }) =>
      RouteTables?.map(({ RouteTableId }) => ({ id: RouteTableId })),
    ),
  subnet: (client, Filters) =>
    every(paginateDescribeSubnets({ client }, { Filters }), ({ Subnets }) =>
      Subnets?.map(({ SubnetId }) => ({ id: SubnetId })),
    ),
  "internet-gateway": (client, Filters) =>
    every(paginateDescribeInternetGateways({ client }, { Filters }), ({ InternetGateways }) =>
      InternetGateways?.map(({ InternetGatewayId }) => ({ id: InternetGatewayId })),
    ),
  vpc: (client, Filters) =>
    every(paginateDescribeVpcs({ client }, { Filters }), ({ Vpcs }) =>
      Vpcs?.map(({ VpcId }) => ({ id: VpcId })),
    ),
  "key-pair": async (client, Filters) => {
    const { KeyPairs = [] } = await client.send(new DescribeKeyPairsCommand({ Filters }));
    return KeyPairs.map(({ KeyPairId }) => ({ id: KeyPairId }));
  },
  address: async (client, Filters) => {
    const { Addresses = [] } = await client.send(new DescribeAddressesCommand({ Filters }));
    return Addresses.map(({ AllocationId }) => ({ id: AllocationId }));
  },
};

/** Ids of what a scope has of the given kinds, or of all. */
export async function ec2Ids(
  scope: AccountScope,
  kinds: readonly string[] = Object.keys(listers),
): Promise<readonly string[]> {
  const wanted = Object.entries(listers).filter(([kind]) => kinds.includes(kind));
  const found = await Promise.all(wanted.map(([kind, list]) => askFor(kind, list, scope)));
  return found.flat().map(({ id }) => id);
}

async function askFor(kind: string, list: Lister, scope: AccountScope): Promise<Remnant[]> {
  const client = new EC2Client(scope.client);
  try {
    const { Key, Value } = scopeTag(scope);
    const found = await list(client, [{ Name: `tag:${Key}`, Values: [Value] }], scope);
    return found
      .filter(({ state = "" }) => !ended.includes(state))
      .map(({ id = "unknown" }) => ({ service: "ec2", kind, id }));
  } finally {
    client.destroy();
  }
}

/** Everything of EC2: hosts, volumes, network, keys, templates, fleets. One question a kind. */
export const ec2Questions: readonly Question[] = Object.entries(listers).map(([kind, list]) => {
  return { name: `EC2 ${kind}`, ask: (scope) => askFor(kind, list, scope) };
});
