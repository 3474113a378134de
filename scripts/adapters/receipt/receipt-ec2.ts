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
  DescribePlacementGroupsCommand,
} from "@aws-sdk/client-ec2";
import {
  isTagged,
  tagFilter,
  tagMap,
  type AccountScope,
  type Question,
  type TaggedRemnant,
} from "../account-scope.ts";

/** One thing of EC2; without a state it is simply there. */
interface Found {
  readonly id: string | undefined;
  readonly state?: string | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

interface Tag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
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
        Instances.map(({ InstanceId, State, Tags }) => ({
          id: InstanceId,
          state: State?.Name,
          tags: Tags,
        })),
      ),
    ),
  volume: (client, Filters) =>
    every(paginateDescribeVolumes({ client }, { Filters }), ({ Volumes }) =>
      Volumes?.map(({ VolumeId, State, Tags }) => ({ id: VolumeId, state: State, tags: Tags })),
    ),
  snapshot: (client, Filters) =>
    every(paginateDescribeSnapshots({ client }, { Filters, OwnerIds: ["self"] }), (page) =>
      page.Snapshots?.map(({ SnapshotId, State, Tags }) => ({
        id: SnapshotId,
        state: State,
        tags: Tags,
      })),
    ),
  // Fleets cannot be asked for by tag.
  fleet: (client, _filters, scope) =>
    every(paginateDescribeFleets({ client }, {}), ({ Fleets }) =>
      Fleets?.filter(({ Tags }) => isTagged(Tags, scope)).map(({ FleetId, FleetState, Tags }) => ({
        id: FleetId,
        tags: Tags,
        // "deleted_running" has instances yet, and those are asked for themselves.
        state: FleetState?.replace(/^deleted_.*/, "deleted"),
      })),
    ),
  "spot-request": (client, Filters) =>
    every(paginateDescribeSpotInstanceRequests({ client }, { Filters }), (page) =>
      page.SpotInstanceRequests?.map(({ SpotInstanceRequestId, State, Tags }) => {
        return { id: SpotInstanceRequestId, state: State, tags: Tags };
      }),
    ),
  "launch-template": (client, Filters) =>
    every(paginateDescribeLaunchTemplates({ client }, { Filters }), ({ LaunchTemplates }) =>
      LaunchTemplates?.map(({ LaunchTemplateId, Tags }) => ({ id: LaunchTemplateId, tags: Tags })),
    ),
  "network-interface": (client, Filters) =>
    every(paginateDescribeNetworkInterfaces({ client }, { Filters }), ({ NetworkInterfaces }) =>
      NetworkInterfaces?.map(({ NetworkInterfaceId, TagSet }) => ({
        id: NetworkInterfaceId,
        tags: TagSet,
      })),
    ),
  "security-group": (client, Filters) =>
    every(paginateDescribeSecurityGroups({ client }, { Filters }), ({ SecurityGroups }) =>
      SecurityGroups?.map(({ GroupId, Tags }) => ({ id: GroupId, tags: Tags })),
    ),
  "vpc-endpoint": (client, Filters) =>
    every(paginateDescribeVpcEndpoints({ client }, { Filters }), ({ VpcEndpoints }) =>
      VpcEndpoints?.map(({ VpcEndpointId, State, Tags }) => ({
        id: VpcEndpointId,
        tags: Tags,
        state: State?.toLowerCase(),
      })),
    ),
  "route-table": (client, Filters) =>
    every(paginateDescribeRouteTables({ client }, { Filters }), ({ RouteTables }) =>
      RouteTables?.map(({ RouteTableId, Tags }) => ({ id: RouteTableId, tags: Tags })),
    ),
  subnet: (client, Filters) =>
    every(paginateDescribeSubnets({ client }, { Filters }), ({ Subnets }) =>
      Subnets?.map(({ SubnetId, Tags }) => ({ id: SubnetId, tags: Tags })),
    ),
  "internet-gateway": (client, Filters) =>
    every(paginateDescribeInternetGateways({ client }, { Filters }), ({ InternetGateways }) =>
      InternetGateways?.map(({ InternetGatewayId, Tags }) => ({
        id: InternetGatewayId,
        tags: Tags,
      })),
    ),
  vpc: (client, Filters) =>
    every(paginateDescribeVpcs({ client }, { Filters }), ({ Vpcs }) =>
      Vpcs?.map(({ VpcId, Tags }) => ({ id: VpcId, tags: Tags })),
    ),
  "key-pair": async (client, Filters) => {
    const { KeyPairs = [] } = await client.send(new DescribeKeyPairsCommand({ Filters }));
    return KeyPairs.map(({ KeyName, Tags }) => ({ id: KeyName, tags: Tags }));
  },
  "placement-group": async (client, Filters) => {
    const { PlacementGroups = [] } = await client.send(
      new DescribePlacementGroupsCommand({ Filters }),
    );
    return PlacementGroups.map(({ GroupName, Tags }) => ({ id: GroupName, tags: Tags }));
  },
  address: async (client, Filters) => {
    const { Addresses = [] } = await client.send(new DescribeAddressesCommand({ Filters }));
    return Addresses.map(({ AllocationId, Tags }) => ({ id: AllocationId, tags: Tags }));
  },
};

/** These are told by their names, which are no ids that take a tag, and cost nothing. */
const kindsByName = ["key-pair", "placement-group"];
const kindsWithIds = Object.keys(listers).filter((kind) => !kindsByName.includes(kind));

/** Ids of what a scope has of the given kinds, or of all that have ids; each of them takes tags. */
export async function ec2Ids(
  scope: AccountScope,
  kinds: readonly string[] = kindsWithIds,
): Promise<readonly string[]> {
  const wanted = Object.entries(listers).filter(([kind]) => kinds.includes(kind));
  const found = await Promise.all(wanted.map(([kind, list]) => askFor(kind, list, scope)));
  return found.flat().map(({ id }) => id);
}

async function askFor(kind: string, list: Lister, scope: AccountScope): Promise<TaggedRemnant[]> {
  const client = new EC2Client(scope.client);
  try {
    const found = await list(client, [tagFilter(scope)], scope);
    return found
      .filter(({ state = "" }) => !ended.includes(state))
      .map(({ id = "unknown", tags }) => ({ service: "ec2", kind, id, tags: tagMap(tags) }));
  } finally {
    client.destroy();
  }
}

/** Everything in EC2 of a scope that is there, with its tags. */
export async function ec2Things(scope: AccountScope): Promise<readonly TaggedRemnant[]> {
  const all = Object.entries(listers).map(([kind, list]) => askFor(kind, list, scope));
  return (await Promise.all(all)).flat();
}

/** Everything of EC2: hosts, volumes, network, keys, templates, fleets. One question a kind. */
export const ec2Questions: readonly Question[] = Object.entries(listers).map(([kind, list]) => {
  const ask = async (scope: AccountScope) =>
    (await askFor(kind, list, scope)).map(({ service, id }) => ({ service, kind, id }));
  return { name: `EC2 ${kind}`, ask };
});
