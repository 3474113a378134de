import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { GpuHost } from "../../../components/gpu-host/gpu-host.ts";
import type { LaunchRung } from "../../../components/gpu-host/host-launch.ts";
import { LeaseRecord } from "../../../components/lease-record.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { somePlan, someTags } from "../../support/builders.ts";
import { underMocks, valueOf } from "../../support/mocks.ts";

/** Marks a wrapped value: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go */
const secretMark = "4dabf18193072939515e22adb298388d";

function host(
  change: Partial<PlanRequest>,
  imageId?: string,
  checkpoints?: { readonly bucket: string; readonly prefix: string },
) {
  const { ladder, rootVolumeGiB } = somePlan(change);
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
      checkpoints,
      expiresAt: "2026-11-24T12:00:00Z",
      after: [armed],
      tags: someTags,
      imageId,
    });
  });
}

describe("GpuHost", () => {
  it("has these children and no others", async () => {
    const { childrenOf } = await host({ spot: true });
    assert.deepEqual(childrenOf("host"), [
      ["aws:ec2/keyPair:KeyPair", "host-key"],
      ["berth:index:HostLaunch", "host-launch"],
      ["aws:iam/instanceProfile:InstanceProfile", "host-profile"],
      ["aws:iam/rolePolicy:RolePolicy", "host-read-weights"],
      ["aws:iam/role:Role", "host-role"],
      ["aws:ec2/launchTemplate:LaunchTemplate", "host-template"],
    ]);
  });

  it("launches what is encrypted, wants metadata tokens and ends when it shuts down", async () => {
    const { inputs, ignoreChanges } = (await host({ spot: true })).named("host-template");
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
    const { inputs } = (await host({ spot: true })).named("host-template");
    const { [secretMark]: mark, value } = inputs["userData"] as Record<string, string>;
    assert.equal(mark, "1b47061264138c4ac30d75fd1eb44270");
    assert.match(Buffer.from(value ?? "", "base64").toString(), /PRIVATE/);
  });

  for (const [spot, kinds] of [
    [true, ["instance", "volume", "network-interface", "spot-instances-request"]],
    [false, ["instance", "volume", "network-interface"]],
  ] as const) {
    it(`tags all that ${spot ? "a spot" : "an on-demand"} launch makes`, async () => {
      const { inputs } = (await host({ spot })).named("host-template");
      const tags = { ...someTags, Name: "host" };
      const expected = kinds.map((resourceType) => ({ resourceType, tags }));
      assert.deepEqual(inputs["tagSpecifications"], expected);
    });
  }

  it("asks for the ladder in every subnet, after the teardown is armed, and keeps what it got", async () => {
    const { named } = await host({ spot: true });
    const { inputs, ignoreChanges, dependencies } = named("host-launch");
    assert.deepEqual(inputs["subnetIds"], ["subnet-a", "subnet-b"]);
    assert.deepEqual(inputs["templates"], { spot: { id: "host-template-id", version: "1" } });
    assert.deepEqual(inputs["tags"], { ...someTags, Name: "host-fleet" });
    const rungs = inputs["rungs"] as LaunchRung[];
    assert.deepEqual(
      rungs.map(({ instanceType, purchase }) => [instanceType, purchase]),
      somePlan().ladder.map(({ instanceType }) => [instanceType, "spot"]),
    );
    assert.equal(rungs[0]?.totalHourlyUsd, somePlan().hourlyUsd);
    assert.ok(dependencies.some((urn) => urn.endsWith("::armed")));
    assert.deepEqual(ignoreChanges, ["templates", "subnetIds", "rungs"]);
  });

  it("has a template a market where the ladder has both, and marks spot requests in one alone", async () => {
    const { named } = await host({ spot: true, onDemandAfterSpot: true });
    assert.deepEqual(named("host-launch").inputs["templates"], {
      spot: { id: "host-template-id", version: "1" },
      "on-demand": { id: "host-template-on-demand-id", version: "1" },
    });
    const kinds = (name: string) =>
      (named(name).inputs["tagSpecifications"] as { resourceType: string }[]).map(
        ({ resourceType }) => resourceType,
      );
    assert.ok(kinds("host-template").includes("spot-instances-request"));
    assert.ok(!kinds("host-template-on-demand").includes("spot-instances-request"));
  });

  it("lets the host read one prefix, and nothing else", async () => {
    const { named } = await host({ spot: true });
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

  it("lets the host write below the prefix of checkpoints where one is asked for, and remove checkpoints alone", async () => {
    const { named } = await host({}, undefined, {
      bucket: "kept",
      prefix: "training/checkpoints/",
    });
    const { Statement } = JSON.parse(
      String(named("host-keep-checkpoints").inputs["policy"]),
    ) as Record<string, unknown>;
    assert.deepEqual(Statement, [
      {
        Sid: "KeepCheckpoints",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: "arn:aws:s3:::kept/training/checkpoints/*",
      },
      {
        Sid: "PruneCheckpoints",
        Effect: "Allow",
        Action: "s3:DeleteObject",
        Resource: "arn:aws:s3:::kept/training/checkpoints/*/checkpoint-*",
      },
      {
        Sid: "ListCheckpoints",
        Effect: "Allow",
        Action: "s3:ListBucket",
        Resource: "arn:aws:s3:::kept",
        Condition: { StringLike: { "s3:prefix": "training/checkpoints/*" } },
      },
    ]);
  });

  it("is found at its public address", async () => {
    const { result } = await host({}, "ami-0fff");
    assert.equal(await valueOf(result.address), "203.0.113.9");
    assert.equal(await valueOf(result.instanceId), "i-0123");
  });
});
