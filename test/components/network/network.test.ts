import assert from "node:assert/strict";
import { Network, type NetworkArgs } from "../../../components/network/network.ts";
import { UserError } from "../../../components/user-error.ts";
import { someTags } from "../../support/builders.ts";
import { underMocks, valueOf } from "../../support/mocks.ts";

const args: NetworkArgs = {
  region: "us-east-1",
  instanceTypes: ["g5.xlarge", "g6.xlarge"],
  sshCidr: "203.0.113.7/32",
  tags: someTags,
};

function network(change: Partial<NetworkArgs> = {}) {
  return underMocks(() => new Network("net", { ...args, ...change }));
}

const rules = [
  ["aws:ec2/securityGroup:SecurityGroup", "net-host"],
  ["aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "net-host-http-out"],
  ["aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "net-host-https-out"],
  ["aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "net-host-ssh-in"],
];

describe("Network", () => {
  it("has these children and no others", async () => {
    const { childrenOf } = await network();
    assert.deepEqual(childrenOf("net"), [
      ["aws:ec2/internetGateway:InternetGateway", "net-gateway"],
      ...rules,
      ["aws:ec2/route:Route", "net-out"],
      ["aws:ec2/routeTable:RouteTable", "net-routes"],
      ["aws:ec2/vpcEndpoint:VpcEndpoint", "net-s3"],
      ["aws:ec2/subnet:Subnet", "net-subnet-0"],
      ["aws:ec2/routeTableAssociation:RouteTableAssociation", "net-subnet-0-routes"],
      ["aws:ec2/subnet:Subnet", "net-subnet-1"],
      ["aws:ec2/routeTableAssociation:RouteTableAssociation", "net-subnet-1-routes"],
      ["aws:ec2/subnet:Subnet", "net-subnet-2"],
      ["aws:ec2/routeTableAssociation:RouteTableAssociation", "net-subnet-2-routes"],
      ["aws:ec2/vpc:Vpc", "net-vpc"],
    ]);
  });

  it("lets in SSH from the given addresses and nothing else", async () => {
    const { resources, named } = await network({ sshPort: 2222 });
    const ingress = resources.filter(({ type }) => type.includes("IngressRule"));
    assert.equal(ingress.length, 1);
    assert.deepEqual(ingress[0]?.inputs, {
      securityGroupId: "net-host-id",
      description: "SSH from the operator",
      ipProtocol: "tcp",
      fromPort: 2222,
      toPort: 2222,
      cidrIpv4: "203.0.113.7/32",
      tags: { ...someTags, Name: "net-host-ssh-in" },
    });
    assert.equal("ingress" in named("net-host").inputs, false);
  });

  it("opens an IPv6 rule for an IPv6 block", async () => {
    const { named } = await network({ sshCidr: "2001:db8::7/128" });
    const { cidrIpv4, cidrIpv6 } = named("net-host-ssh-in").inputs;
    assert.deepEqual([cidrIpv4, cidrIpv6], [undefined, "2001:db8::7/128"]);
  });

  for (const sshCidr of ["0.0.0.0/0", "::/0"]) {
    it(`refuses to open SSH to ${sshCidr}`, async () => {
      await assert.rejects(network({ sshCidr }), UserError);
    });
  }

  it("puts subnets in the zones that offer the types, and leaves them there", async () => {
    const { named, result } = await network();
    const zones = [0, 1, 2].map((index) => named(`net-subnet-${index}`).inputs["availabilityZone"]);
    assert.deepEqual(zones, ["us-east-1b", "us-east-1a", "us-east-1c"]);
    assert.deepEqual(named("net-subnet-0").ignoreChanges, ["availabilityZone"]);
    assert.equal((await valueOf(result.subnetIds)).length, 3);
  });

  it("puts subnets where it was told when AWS may not be asked, and says so without a wish", async () => {
    const denied = {
      "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": () => {
        // As gRPC tells of it.
        throw Object.assign(new Error(), { details: "UnauthorizedOperation: not authorized" });
      },
    };
    const zones = ["us-east-1d", "us-east-1b"];
    const make = (change: Partial<NetworkArgs>) =>
      underMocks(() => new Network("net", { ...args, ...change }), { answers: denied });
    const { named } = await make({ zones });
    const made = [0, 1, 2].map((index) => named(`net-subnet-${index}`).inputs["availabilityZone"]);
    assert.deepEqual(made, ["us-east-1d", "us-east-1b", "us-east-1d"]);
    const { result } = await make({});
    await assert.rejects(valueOf(result.subnetIds), /UnauthorizedOperation/);
  });

  it("uses a given network without changing it", async () => {
    const { childrenOf, named, result } = await network({
      vpcId: "vpc-1",
      subnetIds: ["subnet-9"],
    });
    assert.deepEqual(childrenOf("net"), rules);
    assert.equal(named("net-host").inputs["vpcId"], "vpc-1");
    assert.deepEqual(await valueOf(result.subnetIds), ["subnet-9"]);
  });

  it("looks a given network's subnets up when they are not given", async () => {
    const { result } = await network({ vpcId: "vpc-1" });
    assert.deepEqual(await valueOf(result.subnetIds), ["subnet-0a", "subnet-0b"]);
  });
});

describe("Network with a model server that others may ask", () => {
  it("lets them in on its port, from their block of addresses only", async () => {
    const { named } = await network({ serve: { cidr: "198.51.100.0/24", port: 8000 } });
    const { inputs } = named("net-host-serve-in");
    assert.deepEqual(
      [inputs["cidrIpv4"], inputs["fromPort"], inputs["toPort"], inputs["ipProtocol"]],
      ["198.51.100.0/24", 8000, 8000, "tcp"],
    );
    assert.throws(() => new Network("net", { ...args, serve: { cidr: "0.0.0.0/0", port: 8000 } }));
  });
});
