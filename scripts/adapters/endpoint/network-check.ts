import {
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  EC2Client,
  type IpPermission,
  type SecurityGroup,
  type Subnet,
} from "@aws-sdk/client-ec2";
import { UserError } from "../../../components/user-error.ts";
import type { AccountScope } from "../account-scope.ts";

/** Where containers and a notebook get their interfaces. */
export interface StackNetwork {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
}

const everyone = new Set(["0.0.0.0/0", "::/0"]);

function isForEveryone({ IpRanges = [], Ipv6Ranges = [] }: IpPermission): boolean {
  return (
    IpRanges.some(({ CidrIp = "" }) => everyone.has(CidrIp)) ||
    Ipv6Ranges.some(({ CidrIpv6 = "" }) => everyone.has(CidrIpv6))
  );
}

function portsOf({ IpProtocol, FromPort, ToPort }: IpPermission): string {
  if (IpProtocol === "-1" || FromPort === undefined) return "everything";
  const ports = FromPort === ToPort ? String(FromPort) : `${FromPort} to ${ToPort ?? "?"}`;
  return `${IpProtocol ?? "?"} ${ports}`;
}

/** What is wrong with a network; pure. */
export function networkProblems(
  { subnetIds, securityGroupIds }: StackNetwork,
  subnets: readonly Subnet[],
  groups: readonly SecurityGroup[],
): readonly string[] {
  const missing = [
    ...subnetIds
      .filter((id) => !subnets.some(({ SubnetId }) => SubnetId === id))
      .map((id) => `subnetIds: there is no ${id}`),
    ...securityGroupIds
      .filter((id) => !groups.some(({ GroupId }) => GroupId === id))
      .map((id) => `securityGroupIds: there is no ${id}`),
  ];
  const [vpc, ...others] = new Set(subnets.map(({ VpcId = "?" }) => VpcId));
  const mixed =
    others.length === 0
      ? []
      : [`subnetIds: they are in several VPCs, ${[vpc, ...others].join(" and ")}`];
  const elsewhere = groups
    .filter(({ VpcId }) => vpc !== undefined && others.length === 0 && VpcId !== vpc)
    .map(
      ({ GroupId = "?", VpcId = "?" }) =>
        `securityGroupIds: ${GroupId} is in ${VpcId}, and the subnets in ${vpc ?? "?"}`,
    );
  const open = groups.flatMap(({ GroupId = "?", IpPermissions = [] }) =>
    IpPermissions.filter(isForEveryone).map(
      (rule) =>
        `securityGroupIds: ${GroupId} lets everyone in to ${portsOf(rule)}, and nobody has to come in`,
    ),
  );
  return [...missing, ...mixed, ...elsewhere, ...open];
}

/**
 * Holds an `up` whose network is not there or is open to the world, before anything is made. Requests come by SageMaker's own
 * interfaces, so that a group without any inbound rule is enough, for a notebook too.
 *
 * @returns a warning when EC2 would not say
 * @throws UserError naming everything that is wrong
 */
export async function checkNetwork(
  { client: settings, region }: AccountScope,
  network: StackNetwork,
): Promise<readonly string[]> {
  const client = new EC2Client({ ...settings, maxAttempts: 2 });
  const Filters = (Name: string, ids: readonly string[]) => [{ Name, Values: [...ids] }];
  let found: readonly [readonly Subnet[], readonly SecurityGroup[]];
  try {
    const [{ Subnets = [] }, { SecurityGroups = [] }] = await Promise.all([
      client.send(new DescribeSubnetsCommand({ Filters: Filters("subnet-id", network.subnetIds) })),
      client.send(
        new DescribeSecurityGroupsCommand({
          Filters: Filters("group-id", network.securityGroupIds),
        }),
      ),
    ]);
    found = [Subnets, SecurityGroups];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [`the network could not be looked at (${why}); SageMaker will say whether it is there`];
  } finally {
    client.destroy();
  }
  const problems = networkProblems(network, ...found);
  if (problems.length === 0) return [];
  throw new UserError(`The network of the stack in ${region} cannot be used.`, {
    problems,
    hint: "Correct berth:subnetIds and berth:securityGroupIds; a group without inbound rules is enough.",
  });
}
