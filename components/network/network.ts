import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { explainedLater } from "../explained.ts";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { UserError } from "../user-error.ts";
import { securityGroup, type ServeRule } from "./security-group.ts";
import { chooseZones } from "./zones.ts";

/** What a network is made from. */
export interface NetworkArgs {
  readonly region: string;
  /** Types that will be asked for; subnets are made in the zones that offer them. */
  readonly instanceTypes: readonly string[];
  /** Zones to make subnets in, in this order. @default those that offer most of the types */
  readonly zones?: readonly string[] | undefined;
  /** The only addresses that may connect to hosts. */
  readonly sshCidr: string;
  /** @default 22 */
  readonly sshPort?: number | undefined;
  /** Who may ask the model server directly, and on which port. @default nobody */
  readonly serve?: ServeRule | undefined;
  /** Whether hosts may talk to each other. @default false */
  readonly members?: boolean | undefined;
  /** A VPC to use instead of an own one. */
  readonly vpcId?: string | undefined;
  /** Subnets of that VPC. @default all of it */
  readonly subnetIds?: readonly string[] | undefined;
  readonly tags: TagInputs;
}

const vpcCidr = "10.73.0.0/16";
/** Three zones triple the pools that capacity can come from; subnets cost nothing. */
const zoneCount = 3;

/**
 * Where hosts live: an own VPC with public subnets in several zones and a free S3 gateway endpoint, or a given VPC; and
 * a security group that lets SSH in from one block of addresses only.
 *
 * ### Cost
 * Nothing by itself. A host's public IPv4 address is $0.005 an hour (https://aws.amazon.com/vpc/pricing/).
 */
export class Network extends pulumi.ComponentResource {
  readonly subnetIds: pulumi.Output<string[]>;
  readonly securityGroupId: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:Network", name, {}, opts);
    const child = { parent: this };
    const place =
      args.vpcId === undefined ? ownVpc(name, args, child) : givenVpc(args.vpcId, args, child);
    const { sshCidr, sshPort = 22, serve, members, tags } = args;
    const group = securityGroup(
      `${name}-host`,
      { vpcId: place.vpcId, sshCidr, sshPort, serve, members, tags },
      child,
    );
    this.subnetIds = place.subnetIds;
    this.securityGroupId = group.id;
    this.registerOutputs({ subnetIds: this.subnetIds, securityGroupId: this.securityGroupId });
  }
}

/** What every child is made with. */
interface Child {
  readonly parent: pulumi.Resource;
}

interface Place {
  readonly vpcId: pulumi.Input<string>;
  readonly subnetIds: pulumi.Output<string[]>;
}

function givenVpc(vpcId: string, args: NetworkArgs, opts: Child): Place {
  if (args.subnetIds !== undefined) return { vpcId, subnetIds: pulumi.output([...args.subnetIds]) };
  const found = aws.ec2.getSubnetsOutput({ filters: [{ name: "vpc-id", values: [vpcId] }] }, opts);
  return { vpcId, subnetIds: found.ids };
}

function ownVpc(name: string, args: NetworkArgs, child: Child): Place {
  const { region, tags } = args;
  const vpc = new aws.ec2.Vpc(
    `${name}-vpc`,
    {
      cidrBlock: vpcCidr,
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: namedTags(tags, `${name}-vpc`),
    },
    child,
  );
  const routes = publicRoutes(name, vpc, tags, child);
  new aws.ec2.VpcEndpoint(
    `${name}-s3`,
    {
      vpcId: vpc.id,
      serviceName: `com.amazonaws.${region}.s3`,
      vpcEndpointType: "Gateway",
      routeTableIds: [routes.id],
      tags: namedTags(tags, `${name}-s3`),
    },
    child,
  );
  return { vpcId: vpc.id, subnetIds: pulumi.output(publicSubnets(name, vpc, routes, args, child)) };
}

function publicRoutes(
  name: string,
  vpc: aws.ec2.Vpc,
  tags: TagInputs,
  child: Child,
): aws.ec2.RouteTable {
  const gateway = new aws.ec2.InternetGateway(
    `${name}-gateway`,
    { vpcId: vpc.id, tags: namedTags(tags, `${name}-gateway`) },
    child,
  );
  const table = new aws.ec2.RouteTable(
    `${name}-routes`,
    { vpcId: vpc.id, tags: namedTags(tags, `${name}-routes`) },
    child,
  );
  new aws.ec2.Route(
    `${name}-out`,
    { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
    child,
  );
  return table;
}

/**
 * Zones that offer the types; they are asked once, since {@link publicSubnets} ignores later answers. Where AWS may not be
 * asked, the zones that were wished for are taken at their word.
 */
function zonesOffering(args: NetworkArgs, opts: Child): pulumi.Output<readonly string[]> {
  const { region, zones: wished = [] } = args;
  const types = [...args.instanceTypes];
  const offerings = aws.ec2
    .getInstanceTypeOfferings(
      { locationType: "availability-zone", filters: [{ name: "instance-type", values: types }] },
      opts,
    )
    .catch((error: unknown) => {
      if (wished.length > 0 && String(error).includes("UnauthorizedOperation")) return undefined;
      throw error;
    });
  return pulumi.output(offerings).apply((found) => {
    const zones = chooseZones(found, { types, wished }, zoneCount);
    return zones.length > 0 ? zones : explainedLater(() => noZone(region, types, wished));
  });
}

function noZone(region: string, types: readonly string[], wished: readonly string[]): never {
  const where = wished.length === 0 ? region : wished.join(", ");
  throw new UserError(`${where} offers none of ${types.join(", ")}.`, {
    hint: "Choose another region with aws:region, other zones with berth:zones, or other types with berth:instanceTypes.",
  });
}

function publicSubnets(
  name: string,
  vpc: aws.ec2.Vpc,
  routes: aws.ec2.RouteTable,
  args: NetworkArgs,
  child: Child,
): pulumi.Output<string>[] {
  const zones = zonesOffering(args, child);
  return Array.from({ length: zoneCount }, (_, index) => {
    const role = `${name}-subnet-${index}`;
    const subnet = new aws.ec2.Subnet(
      role,
      {
        vpcId: vpc.id,
        cidrBlock: `10.73.${index * 16}.0/20`,
        availabilityZone: zones.apply((all) => all[index] ?? ""),
        mapPublicIpOnLaunch: true,
        tags: namedTags(args.tags, role),
      },
      // Another ladder or a new zone must not move a subnet from under a running host.
      { ...child, ignoreChanges: ["availabilityZone"] },
    );
    new aws.ec2.RouteTableAssociation(
      `${role}-routes`,
      { subnetId: subnet.id, routeTableId: routes.id },
      child,
    );
    return subnet.id;
  });
}
