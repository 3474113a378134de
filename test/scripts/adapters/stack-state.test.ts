import assert from "node:assert/strict";
import { withDeadline, withoutProtection } from "../../../scripts/adapters/stack-state.ts";

const [old, later] = ["2026-11-24T16:00:00Z", "2026-11-24T20:00:00Z"];

const resource = (type: string, name: string, values: object) => ({
  urn: `urn:pulumi:dev::berth::${type}::${name}`,
  type,
  inputs: values,
  outputs: { ...values, id: name },
});

const secret = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "v1:x",
};

describe("withDeadline", () => {
  const deployment = {
    manifest: { magic: "m" },
    resources: [
      resource("pulumi:pulumi:Stack", "berth-dev", { expiresAt: old, owner: "alice" }),
      resource("berth:index:Lease", "dev-lease", { expiresAt: old, runId: "0123456789ab" }),
      resource("aws:scheduler/scheduleGroup:ScheduleGroup", "dev-teardown-group", {
        tags: { "berth:expires-at": old, "berth:stack": "dev" },
        tagsAll: { "berth:expires-at": old },
      }),
      resource("aws:scheduler/schedule:Schedule", "dev-teardown-at-deadline", {
        scheduleExpression: "at(2026-11-24T16:00:00)",
      }),
      resource("aws:scheduler/schedule:Schedule", "dev-teardown-after-deadline", {
        scheduleExpression: "rate(5 minutes)",
        startDate: "2026-11-24T16:03:00Z",
        endDate: "2026-11-24T22:03:00Z",
      }),
      resource("berth:index:HostKey", "dev-host-key", { privateKey: secret }),
      resource("aws:ec2/launchTemplate:LaunchTemplate", "dev-host-template", {
        tagSpecifications: [{ tags: { "berth:expires-at": old } }],
      }),
    ],
  };

  it("moves it wherever a layer holds it by then, and touches nothing else", () => {
    const moved = withDeadline(deployment, later) as typeof deployment;
    const values = moved.resources.map(({ outputs }) => outputs) as Record<string, unknown>[];
    assert.equal(values[0]?.["expiresAt"], later);
    assert.equal(values[1]?.["expiresAt"], later);
    assert.deepEqual(values[2]?.["tags"], { "berth:expires-at": later, "berth:stack": "dev" });
    assert.equal(values[3]?.["scheduleExpression"], "at(2026-11-24T20:00:00)");
    assert.equal(values[4]?.["startDate"], "2026-11-24T20:03:00Z");
    assert.equal(values[4]["scheduleExpression"], "rate(5 minutes)");
    // A template says what the next launch will be tagged with; the next `up` moves it.
    assert.deepEqual(moved.resources.slice(5), deployment.resources.slice(5));
    assert.deepEqual(moved.manifest, deployment.manifest);
    assert.deepEqual(withDeadline(moved, old), deployment);
  });
});

describe("withoutProtection", () => {
  const host = resource("aws:ec2/fleet:Fleet", "dev-host-fleet", { type: "instant" });

  it("takes Pulumi's protection off, and nothing else", () => {
    const resources = [{ ...host, protect: true }, host];
    const plain = JSON.stringify(withoutProtection({ manifest: {}, resources }));
    assert.deepEqual(JSON.parse(plain), { manifest: {}, resources: [host, host] });
  });

  it("has nothing to do where nothing is protected", () => {
    assert.equal(withoutProtection({ resources: [host] }), undefined);
    assert.equal(withoutProtection({}), undefined);
  });
});
