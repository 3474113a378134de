import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { boolean, string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { retryWhile } from "../../engine/waiting.ts";
import { ec2Arn, isInUse, tagEc2, tagSpecification } from "./ec2-tags.ts";

/** A block of a VPC's addresses in one zone. */
export const subnet = resourceType({
  token: "aws:ec2/subnet:Subnet",
  inputs: {
    vpcId: string({ required: true, replace: true }),
    cidrBlock: string({ required: true, replace: true }),
    availabilityZone: string({ computed: true, replace: true }),
    availabilityZoneId: string({ computed: true, replace: true }),
    mapPublicIpOnLaunch: boolean({ default: false }),
    assignIpv6AddressOnCreation: boolean({ default: false }),
  },
  outputs: ["arn", "ownerId"],
  tag: tagEc2,
  create: async (context, inputs) => {
    const ec2 = await context.clients.ec2();
    const { Subnet } = await ec2.createSubnet({
      VpcId: inputs.vpcId,
      CidrBlock: inputs.cidrBlock,
      AvailabilityZone: inputs.availabilityZone,
      AvailabilityZoneId: inputs.availabilityZoneId,
      ...tagSpecification("subnet", inputs.tagsAll),
    });
    const id = Subnet?.SubnetId ?? "";
    const finish = async (): Promise<void> => {
      if (inputs.mapPublicIpOnLaunch === true) {
        await ec2.modifySubnetAttribute({ SubnetId: id, MapPublicIpOnLaunch: { Value: true } });
      }
      if (inputs.assignIpv6AddressOnCreation === true) {
        const Value = true;
        await ec2.modifySubnetAttribute({ SubnetId: id, AssignIpv6AddressOnCreation: { Value } });
      }
    };
    return { id, finish };
  },
  read: async (context, id) => {
    const ec2 = await context.clients.ec2();
    const found = (await unlessGone(ec2.describeSubnets({ SubnetIds: [id] })))?.Subnets?.[0];
    if (found === undefined) return undefined;
    return {
      arn: found.SubnetArn ?? (await ec2Arn(context, `subnet/${id}`)),
      vpcId: found.VpcId,
      cidrBlock: found.CidrBlock,
      availabilityZone: found.AvailabilityZone,
      availabilityZoneId: found.AvailabilityZoneId,
      mapPublicIpOnLaunch: found.MapPublicIpOnLaunch ?? false,
      assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation ?? false,
      ownerId: found.OwnerId,
      tagsAll: tagMap(found.Tags),
    };
  },
  update: async (context, id, { news, changed }) => {
    const ec2 = await context.clients.ec2();
    if (changed.has("mapPublicIpOnLaunch")) {
      const Value = news.mapPublicIpOnLaunch ?? false;
      await ec2.modifySubnetAttribute({ SubnetId: id, MapPublicIpOnLaunch: { Value } });
    }
    if (changed.has("assignIpv6AddressOnCreation")) {
      const Value = news.assignIpv6AddressOnCreation ?? false;
      await ec2.modifySubnetAttribute({ SubnetId: id, AssignIpv6AddressOnCreation: { Value } });
    }
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    // Network interfaces of an instance that was just terminated go within minutes.
    await retryWhile(context, 600, isInUse, () => unlessGone(ec2.deleteSubnet({ SubnetId: id })));
  },
});
