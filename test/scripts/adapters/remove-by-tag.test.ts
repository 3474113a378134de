import assert from "node:assert/strict";
import { BudgetsClient, CreateBudgetCommand, DeleteBudgetCommand } from "@aws-sdk/client-budgets";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import { ledgerOf, totalUsd } from "../../../components/cost/ledger.ts";
import { auditRuns, isFixable } from "../../../components/teardown/audit.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import type { AccountScope } from "../../../scripts/adapters/account-scope.ts";
import { takeInventory } from "../../../scripts/adapters/account-things.ts";
import { findRuns } from "../../../scripts/adapters/find-runs.ts";
import { recordRuns } from "../../../scripts/adapters/cost/run-records.ts";
import { removeByTag } from "../../../scripts/adapters/remove-by-tag.ts";
import { dlami, settingsFor } from "../../offline/cloud/account.ts";

const runId = "0123456789ab";
const tags = {
  "berth:stack": "dev",
  "berth:owner": "alice",
  "berth:run-id": runId,
  "berth:hourly-usd": "0.8048",
  "berth:expires-at": "2026-11-24T16:00:00Z",
};
const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const tagged = (ResourceType: ec2.ResourceType) => [{ ResourceType, Tags }];

describe("removeByTag", () => {
  let cloud: Cloud;
  let scope: AccountScope;
  let client: ec2.EC2Client;

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    scope = { stack: "dev", runId, region: "us-east-1", client: settingsFor(cloud) };
    client = new ec2.EC2Client(settingsFor(cloud));
  });
  after(() => cloud.stop());

  /** What an `up` leaves that was cut off, and whose state was lost. */
  async function makeOrphans(): Promise<string> {
    const made = await client.send(
      new ec2.CreateVpcCommand({ CidrBlock: "10.8.0.0/16", TagSpecifications: tagged("vpc") }),
    );
    const VpcId = made.Vpc!.VpcId!;
    const subnet = await client.send(
      new ec2.CreateSubnetCommand({
        ...{ VpcId, CidrBlock: "10.8.1.0/24", AvailabilityZone: "us-east-1a" },
        TagSpecifications: tagged("subnet"),
      }),
    );
    await client.send(
      new ec2.ModifySubnetAttributeCommand({
        ...{ SubnetId: subnet.Subnet!.SubnetId!, MapPublicIpOnLaunch: { Value: true } },
      }),
    );
    const gateway = await client.send(
      new ec2.CreateInternetGatewayCommand({ TagSpecifications: tagged("internet-gateway") }),
    );
    const InternetGatewayId = gateway.InternetGateway!.InternetGatewayId!;
    await client.send(new ec2.AttachInternetGatewayCommand({ VpcId, InternetGatewayId }));
    const group = await client.send(
      new ec2.CreateSecurityGroupCommand({
        ...{ VpcId, GroupName: "dev-host", Description: "host" },
        TagSpecifications: tagged("security-group"),
      }),
    );
    const run = await client.send(
      new ec2.RunInstancesCommand({
        ...{ ImageId: await dlami(cloud), InstanceType: "g6.xlarge", MinCount: 1, MaxCount: 1 },
        SubnetId: subnet.Subnet!.SubnetId!,
        SecurityGroupIds: [group.GroupId!],
        TagSpecifications: [...tagged("instance"), ...tagged("volume")],
      }),
    );
    const roles = new iam.IAMClient(settingsFor(cloud));
    const RoleName = "dev-host-role";
    await roles.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: "{}", Tags }));
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }],
    });
    await roles.send(
      new iam.PutRolePolicyCommand({ RoleName, PolicyName: "read", PolicyDocument }),
    );
    return run.Instances![0]!.InstanceId!;
  }

  it("finds the runs that no state knows, removes one in order, and leaves nothing", async () => {
    const instanceId = await makeOrphans();
    assert.deepEqual(await findRuns({ ...scope, runId: undefined }), [{ runId, owner: "alice" }]);
    const stranger = await client.send(
      new ec2.RunInstancesCommand({
        ...{ ImageId: await dlami(cloud), InstanceType: "g5.xlarge", MinCount: 1, MaxCount: 1 },
      }),
    );
    const { things, untaggedGpus, unanswered } = await takeInventory(scope.client, ["us-east-1"]);
    assert.deepEqual(unanswered, []);
    const [audited, ...others] = auditRuns(things, new Date("2026-11-24T18:00:00Z"));
    assert.deepEqual(others, []);
    assert.equal(audited?.verdict, "past-deadline");
    assert.equal(audited.hourlyUsd, 0.8048);
    const kinds = [...new Set(audited.things.map(({ kind }) => kind))].toSorted();
    assert.deepEqual(kinds, [
      "instance",
      "internet-gateway",
      "security-group",
      "subnet",
      "volume",
      "vpc",
    ]);
    const { runs } = await recordRuns(scope.client, "us-east-1", new Date());
    const [record] = runs;
    assert.equal(record?.owner, "alice");
    assert.deepEqual(record.usages.map(({ kind }) => kind).toSorted(), [
      "address",
      "instance",
      "volume",
    ]);
    const hour = new Date(Date.now() + 3600_000);
    // Instance and volumes together cost what the tag recorded at the launch.
    const usd = totalUsd(ledgerOf([record], hour));
    assert.ok(Math.abs(usd - 0.8048) < 0.02, String(usd));
    const strange = stranger.Instances![0]!.InstanceId!;
    assert.deepEqual(
      untaggedGpus.map(({ id }) => id),
      [strange],
    );
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [strange] }));
    // The instance goes late: what it holds has to wait, and says why.
    cloud.setFault({ kind: "throttle", operation: "TerminateInstances", times: 1 });
    const told: string[] = [];
    const patience = { rounds: 6, pauseMs: 50, tell: (line: string) => told.push(line) };
    const { removed, kept, receipt } = await removeByTag(scope, patience);
    assert.deepEqual(kept, []);
    assert.deepEqual(receipt.left, []);
    assert.ok(removed.some(({ id }) => id === instanceId));
    assert.match(told.join("\n"), /security-group .*DependencyViolation/);
    assert.deepEqual(await cloud.leftovers(), []);
  });

  it("finds a budget of a stack that is gone, and removes it", async () => {
    const budgets = new BudgetsClient(settingsFor(cloud));
    const AccountId = "123456789012";
    const make = (BudgetName: string, ResourceTags: typeof Tags) =>
      budgets.send(
        new CreateBudgetCommand({
          ...{ AccountId, ResourceTags },
          Budget: {
            ...{ BudgetName, BudgetType: "COST", TimeUnit: "MONTHLY" },
            BudgetLimit: { Amount: "200", Unit: "USD" },
          },
        }),
      );

    const lone = Tags.filter((tag) => tag.Key !== "berth:expires-at").map((tag) =>
      tag.Key === "berth:run-id" ? { ...tag, Value: "fedcba987654" } : tag,
    );
    await make("dev-budget-month-1", lone);
    await make("their-budget-month", [{ Key: "team", Value: "theirs" }]);
    const audit = async (whole: boolean) => {
      const { things } = await takeInventory(scope.client, ["us-east-1"], whole);
      const later = new Date(Date.now() + 2 * 3_600_000);
      return auditRuns(things, later).filter((run) => isFixable(run, later));
    };
    assert.deepEqual(await audit(false), []);
    const [over] = await audit(true);
    assert.equal(over?.reason, "only its budget is left: its stack is gone");
    const gone = { ...scope, runId: over.runId };
    const patience = { rounds: 2, pauseMs: 10, tell: () => undefined };
    const { removed, kept } = await removeByTag(gone, patience);
    assert.deepEqual(
      removed.map(({ id }) => id),
      ["dev-budget-month-1"],
    );
    assert.deepEqual(kept, []);
    assert.deepEqual(
      (await cloud.leftovers()).map(({ id }) => id),
      ["their-budget-month"],
    );
    await budgets.send(new DeleteBudgetCommand({ AccountId, BudgetName: "their-budget-month" }));
  });

  it("says what stays, and AWS's reason", async () => {
    await client.send(
      new ec2.CreateVolumeCommand({
        ...{ AvailabilityZone: "us-east-1a", Size: 10 },
        TagSpecifications: tagged("volume"),
      }),
    );
    cloud.setFault({ kind: "access-denied", operation: "DeleteVolume" });
    const patience = { rounds: 2, pauseMs: 10, tell: () => undefined };
    const { kept } = await removeByTag(scope, patience);
    assert.deepEqual(
      kept.map(({ kind, reason }) => [kind, reason.includes("not authorized")]),
      [["volume", true]],
    );
    cloud.clearFaults();
    assert.deepEqual((await removeByTag(scope, patience)).kept, []);
  });
});
