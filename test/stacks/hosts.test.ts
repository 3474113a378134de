import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { makeReport } from "../../components/plan-report/make-report.ts";
import { planLines } from "../../components/plan-text.ts";
import { UserError } from "../../components/user-error.ts";
import { checkBudget } from "../../stacks/budget.ts";
import { deployGpuHost } from "../../stacks/gpu-host-stack.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { stackOutputs } from "../../stacks/outputs.ts";
import { hostsLines } from "../../scripts/commands/plan.ts";
import { parseSettings, planRequest } from "../../stacks/settings.ts";
import { goodConfig } from "../support/builders.ts";
import { underMocks, valueOf } from "../support/mocks.ts";

function settingsOf(change: Readonly<Record<string, unknown>> = {}) {
  const settings = parseSettings({ stack: "dev", config: { ...goodConfig, ...change } });
  assert.equal(settings.target, "ec2");
  return settings;
}

function deployment(change: Readonly<Record<string, unknown>> = {}) {
  const settings = settingsOf(change);
  const plan = makeStackPlan(settings);
  return underMocks(() => stackOutputs(deployGpuHost(settings, plan)), { stack: "dev" });
}

describe("a stack of one host", () => {
  it("keeps every name that it ever had, so that no running host is replaced", async () => {
    const { resources } = await deployment();
    assert.deepEqual(
      resources
        .filter(({ type }) => type.startsWith("berth:") || type.includes("launchTemplate"))
        .map(({ type, name }) => `${type.replace("berth:index:", "")} ${name}`)
        .toSorted(),
      [
        "ApiToken dev-api-token",
        "GpuHost dev-host",
        "HostBootstrap dev-bootstrap",
        "HostKey dev-host-key",
        "HostKeyRotation dev-host-key-rotation",
        "HostLaunch dev-host-launch",
        "Lease dev-lease",
        "ModelServer dev-server",
        "Network dev-network",
        "TeardownSchedule dev-teardown",
        "WeightsSync dev-weights",
        "aws:ec2/launchTemplate:LaunchTemplate dev-host-template",
      ],
    );
    const rules = resources.filter(({ name }) => name.includes("members"));
    assert.deepEqual(rules, [], "nothing for other hosts");
  });
});

describe("a stack of several hosts", () => {
  it("launches a group once, and makes each host ready by itself", async () => {
    const { named, resources } = await deployment({ "berth:hosts": "2" });
    assert.equal(named("dev-host-group").inputs["hosts"], 2);
    assert.ok(
      named("dev-host-group").dependencies.some((urn) => urn.endsWith("dev-teardown-at-deadline")),
    );
    for (const index of [0, 1]) {
      const instanceId = `i-host-${index}`;
      assert.equal(named(`dev-host-${index}`).inputs["index"], index);
      for (const part of ["key-rotation", "bootstrap", "weights", "server"]) {
        const { inputs } = named(`dev-host-${index}-${part}`);
        assert.equal(inputs["instanceId"], instanceId, part);
      }
      const waits = named(`dev-host-${index}-server`).dependencies;
      assert.ok(waits.some((urn) => urn.endsWith(`::dev-host-${index}-bootstrap`)));
      assert.ok(!waits.some((urn) => urn.endsWith(`::dev-host-${1 - index}-bootstrap`)));
    }
    assert.ok(!resources.some(({ type }) => type === "berth:index:HostLaunch"));
  });

  it("is planned with what all of them cost together", () => {
    const one = settingsOf();
    const report = makeReport(planRequest(one), loadCatalogue(), undefined);
    assert.deepEqual(hostsLines(one, report), []);
    const [line] = hostsLines(settingsOf({ "berth:hosts": 3 }), report);
    const together = (report.ladder[0]!.hourly.totalUsd * 3).toFixed(2);
    assert.match(line ?? "", new RegExp(`^hosts +3 of it .*\\$${together} an hour together`));
  });

  it("lets its hosts talk to each other, and nobody else", async () => {
    const { named } = await deployment({ "berth:hosts": "2" });
    for (const way of ["in", "out"]) {
      const { inputs } = named(`dev-network-host-members-${way}`);
      assert.equal(inputs["referencedSecurityGroupId"], inputs["securityGroupId"]);
      assert.deepEqual([inputs["cidrIpv4"], inputs["ipProtocol"]], [undefined, "-1"]);
    }
  });

  it("costs as many times as much: in the plan, against the budget and in the outputs, but on no tag", async () => {
    const one = makeStackPlan(settingsOf());
    const three = settingsOf({ "berth:hosts": 3, "berth:budgetUsd": one.leaseUsd! * 2 });
    const plan = makeStackPlan(three);
    assert.equal(plan.hourlyUsd, one.hourlyUsd * 3);
    assert.equal(plan.leaseUsd, one.leaseUsd! * 3);
    assert.match(planLines(plan).join("\n"), /^hosts {6}3 of it in one zone, all or none/m);
    assert.throws(() => {
      checkBudget(three, plan);
    }, /berth:budgetUsd allows/);
    const { result, named } = await deployment({ "berth:hosts": 3 });
    assert.equal(await valueOf(pulumi.output(result.hourlyUsd)), one.hourlyUsd * 3);
    const tags = named("dev-host-template").inputs["tags"] as Record<string, string>;
    assert.equal(tags["berth:hourly-usd"], one.hourlyUsd.toFixed(4));
  });

  it("is close together only when that is asked for, and there is more than one", async () => {
    const { named } = await deployment({ "berth:hosts": 2, "berth:clusterNetwork": true });
    assert.equal(named("dev-host-cluster").inputs["strategy"], "cluster");
    assert.throws(
      () => makeStackPlan(settingsOf({ "berth:clusterNetwork": "true" })),
      /joins several hosts, and there is one/,
    );
  });

  it("tells of each host, and of the first plainly", async () => {
    const { result } = await deployment({ "berth:hosts": 2, "berth:serverPortStep": 1 });
    assert.ok(result.hosts !== undefined);
    const hosts = await valueOf(pulumi.output(result.hosts));
    assert.deepEqual(
      hosts.map(({ index, instanceId, privateAddress }) => [index, instanceId, privateAddress]),
      [
        [0, "i-host-0", "10.73.0.4"],
        [1, "i-host-1", "10.73.0.4"],
      ],
    );
    assert.equal(await valueOf(result.instanceId), "i-host-0");
  });

  it("is asked of a host's stack alone, and in a number that can be", () => {
    const refused = (change: Readonly<Record<string, unknown>>, problem: RegExp) => {
      assert.throws(
        () => parseSettings({ stack: "dev", config: { ...goodConfig, ...change } }),
        (error) => error instanceof UserError && problem.test(error.problems.join()),
      );
    };
    for (const hosts of ["0", "65", "1.5"]) {
      refused({ "berth:hosts": hosts }, /berth:hosts: must be a whole number from 1 to 64/);
    }
    const elsewhere = { "berth:target": "sagemaker", "berth:hosts": "2" };
    refused(elsewhere, /berth:hosts: there is no such setting/);
  });
});
