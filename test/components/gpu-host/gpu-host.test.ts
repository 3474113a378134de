import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { GpuHost, launchedInstance } from "../../../components/gpu-host/gpu-host.ts";
import { LeaseRecord } from "../../../components/lease-record.ts";
import { UserError } from "../../../components/user-error.ts";
import { somePlan, someTags } from "../../support/builders.ts";
import { underMocks, valueOf } from "../../support/mocks.ts";

/** Marks a wrapped value: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go */
const secretMark = "4dabf18193072939515e22adb298388d";

function host(spot: boolean, imageId?: string) {
  const { ladder, rootVolumeGiB } = somePlan({ spot });
  return underMocks(() => {
    const armed = new LeaseRecord("armed", { startedAt: "", expiresAt: "", owner: "", runId: "" });
    const key = {
      privateKey: pulumi.secret("PRIVATE"),
      publicKey: pulumi.output("ssh-ed25519 AAAA"),
    };
    return new GpuHost("host", {
      ladder,
      rootVolumeGiB,
      subnetIds: ["subnet-a", "subnet-b"],
      securityGroupId: "sg-1",
      sshPublicKey: "ssh-ed25519 BBBB alice",
      hostKey: key,
      weights: { bucket: "models", prefix: "qwen2.5-7b/" },
      expiresAt: "2026-11-24T12:00:00Z",
      after: [armed],
      tags: someTags,
      imageId,
    });
  });
}

describe("GpuHost", () => {
  it("has these children and no others", async () => {
    const { childrenOf } = await host(true);
    assert.deepEqual(childrenOf("host"), [
      ["aws:ec2/fleet:Fleet", "host-fleet"],
      ["aws:ec2/keyPair:KeyPair", "host-key"],
      ["aws:iam/instanceProfile:InstanceProfile", "host-profile"],
      ["aws:iam/rolePolicy:RolePolicy", "host-read-weights"],
      ["aws:iam/role:Role", "host-role"],
      ["aws:ec2/launchTemplate:LaunchTemplate", "host-template"],
    ]);
  });

  it("launches what is encrypted, wants metadata tokens and ends when it shuts down", async () => {
    const { inputs, ignoreChanges } = (await host(true)).named("host-template");
    assert.equal(inputs["instanceInitiatedShutdownBehavior"], "terminate");
    assert.deepEqual(inputs["metadataOptions"], {
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
    });
    assert.deepEqual(inputs["blockDeviceMappings"], [
      {
        deviceName: "/dev/sda1",
        ebs: {
          volumeSize: somePlan().rootVolumeGiB,
          volumeType: "gp3",
          encrypted: "true",
          deleteOnTermination: "true",
        },
      },
    ]);
    assert.deepEqual(inputs["vpcSecurityGroupIds"], ["sg-1"]);
    assert.equal(inputs["imageId"], "ami-0abc");
    assert.deepEqual(ignoreChanges, ["imageId", "userData"]);
    // A fleet refuses templates that say how to buy; the fleet itself does.
    assert.equal("instanceMarketOptions" in inputs, false);
  });

  it("sends the private host key as a secret only", async () => {
    const { inputs } = (await host(true)).named("host-template");
    const { [secretMark]: mark, value } = inputs["userData"] as Record<string, string>;
    assert.equal(mark, "1b47061264138c4ac30d75fd1eb44270");
    assert.match(Buffer.from(value ?? "", "base64").toString(), /PRIVATE/);
  });

  for (const [spot, kinds] of [
    [true, ["instance", "volume", "network-interface", "spot-instances-request"]],
    [false, ["instance", "volume", "network-interface"]],
  ] as const) {
    it(`tags all that ${spot ? "a spot" : "an on-demand"} launch makes`, async () => {
      const { inputs } = (await host(spot)).named("host-template");
      const tags = { ...someTags, Name: "host" };
      const expected = kinds.map((resourceType) => ({ resourceType, tags }));
      assert.deepEqual(inputs["tagSpecifications"], expected);
    });
  }

  it("asks once for one spot instance, over the ladder in every subnet, after the teardown is armed", async () => {
    const { named } = await host(true);
    const { inputs, ignoreChanges, dependencies } = named("host-fleet");
    const [{ overrides }] = inputs["launchTemplateConfigs"] as [{ overrides: object[] }];
    assert.equal(inputs["type"], "instant");
    assert.equal(inputs["terminateInstances"], true);
    assert.deepEqual(inputs["targetCapacitySpecification"], {
      totalTargetCapacity: 1,
      defaultTargetCapacityType: "spot",
    });
    assert.deepEqual(inputs["spotOptions"], { allocationStrategy: "price-capacity-optimized" });
    const expected = somePlan().ladder.flatMap(({ instanceType }) =>
      ["subnet-a", "subnet-b"].map((subnetId) => ({ instanceType, subnetId })),
    );
    assert.deepEqual(overrides, expected);
    assert.ok(dependencies.some((urn) => urn.endsWith("::armed")));
    assert.deepEqual(ignoreChanges, [
      "launchTemplateConfigs",
      "targetCapacitySpecification",
      "spotOptions",
      "onDemandOptions",
    ]);
  });

  it("takes the first rung with capacity on demand", async () => {
    const { inputs } = (await host(false)).named("host-fleet");
    const [{ overrides }] = inputs["launchTemplateConfigs"] as [
      { overrides: { priority: number }[] },
    ];
    assert.deepEqual(inputs["onDemandOptions"], { allocationStrategy: "prioritized" });
    assert.deepEqual(
      overrides.map(({ priority }) => priority),
      somePlan({ spot: false }).ladder.flatMap((_, rung) => [rung, rung]),
    );
  });

  it("lets the host read one prefix, and nothing else", async () => {
    const { named } = await host(true);
    assert.deepEqual(JSON.parse(String(named("host-read-weights").inputs["policy"])), {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "ReadWeights",
          Effect: "Allow",
          Action: ["s3:GetObject", "s3:GetObjectAttributes"],
          Resource: "arn:aws:s3:::models/qwen2.5-7b/*",
        },
        {
          Sid: "ListWeights",
          Effect: "Allow",
          Action: "s3:ListBucket",
          Resource: "arn:aws:s3:::models",
          Condition: { StringLike: { "s3:prefix": "qwen2.5-7b/*" } },
        },
      ],
    });
  });

  it("is found at its public address", async () => {
    const { result } = await host(true, "ami-0fff");
    assert.equal(await valueOf(result.address), "203.0.113.9");
    assert.equal(await valueOf(result.instanceId), "i-0123");
  });
});

describe("launchedInstance", () => {
  it("says what was asked when nothing came", () => {
    assert.throws(
      () => launchedInstance([], somePlan()),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /us-east-1 gave no spot instance of g/);
        return true;
      },
    );
  });

  it("passes over a set without instances", () => {
    const sets = [{ instanceIds: [] }, { instanceIds: ["i-2"], instanceType: "g6.xlarge" }];
    assert.deepEqual(launchedInstance(sets, somePlan()), {
      instanceId: "i-2",
      instanceType: "g6.xlarge",
    });
  });
});
