import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { parseCidr } from "./cidr.ts";

/** One block of addresses that may ask a host's model server. */
export interface ServeRule {
  readonly cidr: string;
  readonly port: number;
}

/** What a host may be reached by, and in which network. */
export interface SecurityGroupArgs {
  readonly vpcId: pulumi.Input<string>;
  /** The only addresses that may connect. */
  readonly sshCidr: string;
  readonly sshPort: number;
  readonly serve?: ServeRule | undefined;
  /** Whether hosts of the group may talk to each other, on every port. @default false */
  readonly members?: boolean | undefined;
  readonly tags: TagInputs;
}

/** Package mirrors (80) and AWS's APIs, package indexes and models (443); DNS and time need no rule in a VPC. */
const egressPorts = [
  { role: "http", port: 80, why: "package mirrors" },
  { role: "https", port: 443, why: "AWS APIs and package indexes" },
] as const;

/**
 * Lets SSH in from one block of addresses, and HTTP and HTTPS out. Nothing else, and nothing from the world.
 *
 * @throws UserError when the block is the whole world or nearly so
 */
export function securityGroup(
  name: string,
  args: SecurityGroupArgs,
  opts: pulumi.CustomResourceOptions,
): aws.ec2.SecurityGroup {
  const { vpcId, sshPort, tags } = args;
  const cidr = parseCidr(args.sshCidr);
  const group = new aws.ec2.SecurityGroup(
    name,
    { vpcId, description: "SSH to a berth host", tags: namedTags(tags, name) },
    opts,
  );
  new aws.vpc.SecurityGroupIngressRule(
    `${name}-ssh-in`,
    {
      securityGroupId: group.id,
      description: "SSH from the operator",
      ipProtocol: "tcp",
      fromPort: sshPort,
      toPort: sshPort,
      ...(cidr.family === 4 ? { cidrIpv4: cidr.text } : { cidrIpv6: cidr.text }),
      tags: namedTags(tags, `${name}-ssh-in`),
    },
    opts,
  );
  if (args.serve !== undefined) serveIn(name, group, { ...args.serve, tags }, opts);
  if (args.members === true) members(name, group, tags, opts);
  for (const { role, port, why } of egressPorts) {
    new aws.vpc.SecurityGroupEgressRule(
      `${name}-${role}-out`,
      {
        securityGroupId: group.id,
        description: why,
        ipProtocol: "tcp",
        fromPort: port,
        toPort: port,
        cidrIpv4: "0.0.0.0/0",
        tags: namedTags(tags, `${name}-${role}-out`),
      },
      opts,
    );
  }
  return group;
}

function serveIn(
  name: string,
  group: aws.ec2.SecurityGroup,
  { cidr, port, tags }: ServeRule & { readonly tags: TagInputs },
  opts: pulumi.CustomResourceOptions,
): void {
  const { family, text } = parseCidr(cidr);
  new aws.vpc.SecurityGroupIngressRule(
    `${name}-serve-in`,
    {
      securityGroupId: group.id,
      description: "requests to the model server",
      ipProtocol: "tcp",
      fromPort: port,
      toPort: port,
      ...(family === 4 ? { cidrIpv4: text } : { cidrIpv6: text }),
      tags: namedTags(tags, `${name}-serve-in`),
    },
    opts,
  );
}

/**
 * What a training over several hosts wants, and a fabric adapter too: every port, both ways, from and to hosts of the same
 * group alone (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html).
 */
function members(
  name: string,
  group: aws.ec2.SecurityGroup,
  tags: TagInputs,
  opts: pulumi.CustomResourceOptions,
): void {
  const rule = {
    securityGroupId: group.id,
    referencedSecurityGroupId: group.id,
    description: "between the hosts of this stack",
    ipProtocol: "-1",
  };
  const role = (way: string) => `${name}-members-${way}`;
  new aws.vpc.SecurityGroupIngressRule(
    role("in"),
    { ...rule, tags: namedTags(tags, role("in")) },
    opts,
  );
  new aws.vpc.SecurityGroupEgressRule(
    role("out"),
    { ...rule, tags: namedTags(tags, role("out")) },
    opts,
  );
}
