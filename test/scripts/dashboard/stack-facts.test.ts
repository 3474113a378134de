import assert from "node:assert/strict";
import { stackFacts } from "../../../scripts/dashboard/stack-facts.ts";

const seeded = { host: "192.0.2.1", port: 22, user: "ubuntu", hostKey: "ssh-ed25519 SEEDED" };
const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

function resource(type: string, values: object) {
  const urn = `urn:pulumi:dev::berth::${type}::dev-${type.split(":").at(-1) ?? ""}`;
  return { urn, type, ...values };
}

const lease = {
  startedAt: "2026-11-25T10:00:00Z",
  expiresAt: "2026-11-25T14:00:00Z",
  owner: "ann",
  runId: "r1",
};

describe("stackFacts", () => {
  it("reads an up that is under way: how to reach the host, and what is being done", () => {
    const rotated = { connection: seeded, hostKey: "ssh-ed25519 ROTATED" };
    const server = resource("berth:index:ModelServer", { inputs: { port: 8123 } });
    const facts = stackFacts({
      deployment: {
        resources: [
          resource("pulumi:pulumi:Stack", {}),
          resource("berth:index:Lease", { outputs: lease }),
          resource("pulumi:providers:aws", { inputs: { region: "eu-west-1" } }),
          resource("berth:index:HostKey", { outputs: { privateKey: secret } }),
          resource("berth:index:GpuHost", { outputs: { instanceId: "i-1" } }),
          resource("berth:index:HostKeyRotation", { outputs: rotated }),
        ],
        pending_operations: [{ type: "creating", resource: server }],
      },
    });
    assert.deepEqual(facts.pending, [{ operation: "creating", name: "dev-ModelServer" }]);
    assert.deepEqual(facts.connection, { ...seeded, hostKey: "ssh-ed25519 ROTATED" });
    assert.deepEqual(
      [facts.lease, facts.region, facts.instanceId, facts.serverPort, facts.resources],
      [lease, "eu-west-1", "i-1", 8123, 4],
    );
  });

  it("reaches the first of several hosts, at the port of its own server", () => {
    const of = (host: number, type: string, values: object) => {
      const urn = `urn:pulumi:dev::berth::${type}::dev-host-${host}${type.includes("GroupHost") ? "" : "-part"}`;
      return { ...resource(type, values), urn };
    };
    const rotated = (host: number) => ({
      outputs: { connection: { ...seeded, host: `192.0.2.${host}` }, hostKey: `key of ${host}` },
    });
    const resources = [1, 0].flatMap((host) => [
      of(host, "berth:index:GroupHost", { outputs: { instanceId: `i-${host}` } }),
      of(host, "berth:index:HostKeyRotation", rotated(host)),
      of(host, "berth:index:ModelServer", { inputs: { port: 8000 + host } }),
    ]);
    const facts = stackFacts({ deployment: { resources } });
    assert.deepEqual([facts.instanceId, facts.serverPort], ["i-0", 8000]);
    assert.deepEqual(facts.connection, { ...seeded, host: "192.0.2.0", hostKey: "key of 0" });
  });

  it("does not reach for a host before its own key is known", () => {
    const rotation = resource("berth:index:HostKeyRotation", { inputs: { connection: seeded } });
    assert.equal(stackFacts({ deployment: { resources: [rotation] } }).connection, undefined);
  });

  it("reaches a machine that was there already by the key of its settings", () => {
    const machine = resource("berth:index:ExistingHost", { inputs: { connection: seeded } });
    const facts = stackFacts({ deployment: { resources: [machine] } });
    assert.deepEqual([facts.ownMachine, facts.connection], [true, seeded]);
  });

  it("leaves secret outputs encrypted, and lets none of them hide the others", () => {
    const outputs = { hourlyUsd: 1.05, apiToken: secret, instanceType: "g5.xlarge", url: 7 };
    const facts = stackFacts({
      deployment: { resources: [resource("pulumi:pulumi:Stack", { outputs })] },
    });
    assert.deepEqual(facts.outputs, { hourlyUsd: 1.05, instanceType: "g5.xlarge" });
  });

  it("reads a stack that was taken down, or never brought up", () => {
    for (const deployment of [null, undefined, {}, { resources: null, pending_operations: null }]) {
      const { resources, pending, lease: none, outputs } = stackFacts({ deployment });
      assert.deepEqual([resources, pending, none, outputs], [0, [], undefined, {}]);
    }
  });
});
