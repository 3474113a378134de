import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { Secret } from "../../offline/runner/engine/property-value.ts";
import { TestStack } from "../offline/runner/engine/test-stack.ts";

const repository = resolve(import.meta.dirname, "../..");

function address(path: string): string {
  return JSON.stringify(pathToFileURL(join(repository, path)).href);
}

/** The product's own components that need nothing but AWS, in a program of their own. */
const program = `
import * as aws from "@pulumi/aws";
const { Network } = await import(${address("components/network/network.ts")});
const { TeardownSchedule } = await import(${address("components/teardown/teardown-schedule.ts")});
const { WeightsBucket } = await import(${address("components/weights/weights-bucket.ts")});
const { GpuHost } = await import(${address("components/gpu-host/gpu-host.ts")});
const settings = JSON.parse(process.env.TEST_SETTINGS);
const tags = { "berth:stack": "dev", "berth:owner": "someone" };
const region = "us-east-1";
const provider = new aws.Provider("aws", { region, maxRetries: 2, defaultTags: { tags } });
const opts = { providers: [provider] };
const network = new Network("dev", { region, instanceTypes: ["g5.xlarge"], sshCidr: settings.sshCidr, tags }, opts);
const bucket = new WeightsBucket("dev-weights", { disposable: true, tags }, opts);
const expiresAt = settings.expiresAt;
const teardown = new TeardownSchedule("dev-teardown", { stack: "dev", owner: "someone", runId: "0123456789ab", expiresAt, tags }, opts);
const host = new GpuHost("dev-host", {
  ladder: [
    {
      instanceType: "g5.xlarge", region, purchase: "on-demand", zones: [], hourlyUsd: 1.006,
      gpuModel: "A10G", gpuCount: 1, tensorParallel: 1,
    },
  ],
  rootVolumeGiB: 100,
  subnetIds: network.subnetIds,
  securityGroupId: network.securityGroupId,
  sshPublicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0qO9q0Qd1T9l0l0n0c7k6eF3Hc0lKxq5J7m3o8u1aZ berth",
  hostKey: { privateKey: "not a key", publicKey: "ssh-ed25519 AAAA" },
  weights: { bucket: bucket.bucketName, prefix: "m/" },
  expiresAt,
  after: [network, teardown],
  tags,
}, opts);
export const instanceId = host.instanceId;
export const address = host.address;
`;

describe("AWS plugin under the engine", () => {
  let cloud: Cloud;
  let stack: TestStack;
  before(async () => {
    cloud = await startCloud({ tier: "none" });
    stack = new TestStack();
    stack.plugins = [
      { name: "aws", path: join(repository, "offline", "aws-plugin") },
      { name: "berth", path: join(repository, "provider") },
    ];
    const loader = pathToFileURL(join(repository, "node_modules/tsx/dist/loader.mjs")).href;
    Object.assign(stack.environment, cloud.environment, { NODE_OPTIONS: `--import=${loader}` });
    stack.program(program);
  });
  after(async () => {
    stack.remove();
    await cloud.stop();
  });

  function set(settings: { sshCidr: string; expiresAt: string }): void {
    stack.environment["TEST_SETTINGS"] = JSON.stringify(settings);
  }

  const settings = { sshCidr: "192.0.2.7/32", expiresAt: "2031-01-01T00:00:00Z" };

  it("takes the product's components up, changes them, and takes them down to nothing", async () => {
    set(settings);
    await stack.good("up");
    const created = stack.steps().filter((step) => step.startsWith("create "));
    assert.ok(created.length > 30, `${created.length} resources`);
    assert.match(stack.resource("dev-host-launch").outputs["instanceId"] as string, /^i-/);
    assert.ok(stack.resource("dev-host-template").outputs["userData"] instanceof Secret);

    await stack.good("up");
    assert.deepEqual(
      stack.steps().filter((step) => !step.startsWith("same")),
      [],
      "a second up changes nothing",
    );
    await stack.good("refresh");
    await stack.good("preview");
    assert.deepEqual(
      stack.steps().filter((step) => !/^(same|read)/.test(step)),
      [],
      "nothing is found to differ",
    );

    set({ sshCidr: "192.0.2.8/32", expiresAt: "2031-01-02T00:00:00Z" });
    await stack.good("up");
    assert.deepEqual(
      stack
        .steps()
        .filter((step) => !step.startsWith("same"))
        .toSorted(),
      [
        "update dev-host-ssh-in",
        "update dev-teardown-after-deadline",
        "update dev-teardown-at-deadline",
        "update dev-teardown-group",
      ],
    );

    await stack.good("destroy");
    assert.deepEqual(stack.names(), []);
    assert.deepEqual(await cloud.leftovers(), []);
  }).timeout(120_000);
});
