import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { GpuHostGroup } from "../../../components/gpu-host/gpu-host-group.ts";
import { somePlan, someTags } from "../../support/builders.ts";
import { underMocks } from "../../support/mocks.ts";

function group(clusterNetwork: boolean) {
  const { ladder, rootVolumeGiB } = somePlan();
  return underMocks(
    () =>
      new GpuHostGroup("host", {
        ladder,
        rootVolumeGiB,
        subnetIds: ["subnet-a"],
        securityGroupId: "sg-1",
        sshPublicKey: "ssh-ed25519 BBBB alice",
        hostKey: {
          privateKey: pulumi.secret("PRIVATE"),
          publicKey: pulumi.output("ssh-ed25519 AAAA"),
        },
        weights: { bucket: "models", prefix: "qwen2.5-7b/" },
        expiresAt: "2026-11-24T12:00:00Z",
        after: [],
        tags: someTags,
        hosts: 2,
        clusterNetwork,
        efaTypes: new Set([ladder[1]?.instanceType ?? ""]),
      }),
  );
}

describe("GpuHostGroup", () => {
  it("has these children and no others", async () => {
    const { childrenOf } = await group(false);
    assert.deepEqual(childrenOf("host"), [
      ["berth:index:GroupHost", "host-0"],
      ["berth:index:GroupHost", "host-1"],
      ["berth:index:HostGroup", "host-group"],
      ["aws:ec2/keyPair:KeyPair", "host-key"],
      ["aws:iam/instanceProfile:InstanceProfile", "host-profile"],
      ["aws:iam/rolePolicy:RolePolicy", "host-read-weights"],
      ["aws:iam/role:Role", "host-role"],
      ["aws:ec2/launchTemplate:LaunchTemplate", "host-template"],
    ]);
  });

  it("keeps what it has, whatever a newer ladder, count or template would choose", async () => {
    const { named } = await group(false);
    const kept = ["hosts", "templates", "subnetIds", "rungs"];
    assert.deepEqual(named("host-group").ignoreChanges, kept);
    for (const key of ["launched", "templates", "subnetIds"]) {
      assert.ok(named("host-1").ignoreChanges.includes(key), key);
    }
  });

  it("is close together, with a fabric adapter where the type has one", async () => {
    const { named } = await group(true);
    const near = { groupName: "host-cluster" };
    const without = named("host-template").inputs;
    assert.deepEqual([without["placement"], without["networkInterfaces"]], [near, undefined]);
    assert.deepEqual(without["vpcSecurityGroupIds"], ["sg-1"]);
    const { inputs } = named("host-template-efa");
    assert.deepEqual([inputs["placement"], inputs["vpcSecurityGroupIds"]], [near, undefined]);
    const [adapter, ...others] = inputs["networkInterfaces"] as Record<string, unknown>[];
    assert.deepEqual(others, []);
    assert.deepEqual([adapter?.["interfaceType"], adapter?.["securityGroups"]], ["efa", ["sg-1"]]);
    const rungs = named("host-group").inputs["rungs"] as Record<string, string>[];
    assert.deepEqual(
      rungs.slice(0, 3).map(({ template }) => template),
      ["spot", "spot-efa", "spot"],
    );
  });
});
