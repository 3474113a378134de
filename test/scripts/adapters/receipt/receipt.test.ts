import assert from "node:assert/strict";
import { BudgetsClient, CreateBudgetCommand } from "@aws-sdk/client-budgets";
import { CreateVpcCommand, EC2Client } from "@aws-sdk/client-ec2";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { startCloud } from "../../../../offline/cloud/cloud.ts";
import type { AccountScope } from "../../../../scripts/adapters/account-scope.ts";
import { namedTypes } from "../../../../scripts/adapters/receipt/receipt-by-name.ts";
import { askElsewhere } from "../../../../scripts/adapters/receipt/receipt-elsewhere.ts";
import { removeByTag } from "../../../../scripts/adapters/remove-by-tag.ts";
import {
  isClean,
  makeReceipt,
  receiptLines,
} from "../../../../scripts/adapters/receipt/receipt.ts";

describe("makeReceipt", () => {
  it("proves nothing when the account does not answer", async () => {
    const client = {
      region: "us-east-1",
      endpoint: "http://127.0.0.1:9",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
    };
    const scope = { stack: "dev", region: "us-east-1", client };
    const receipt = await makeReceipt(scope, { attempts: 1, pauseMs: 0 });
    assert.equal(receipt.left.length, 0);
    assert.equal(receipt.unanswered.length, receipt.asked.length);
    assert.equal(isClean(receipt), false);
    assert.match(receiptLines(receipt).join("\n"), /no answer: EC2 instance/);
  });

  it("counts what is the run's own, and without a run all of the stack's name", async () => {
    const cloud = await startCloud({ tier: "none" });
    const client = {
      region: "us-east-1",
      endpoint: cloud.endpoint,
      credentials: { accessKeyId: "AKIAEMULATED00000000", secretAccessKey: "emulated" },
    };
    const [ec2, iam] = [new EC2Client(client), new IAMClient(client)];
    const budgets = new BudgetsClient(client);
    /** What has lost its tags, and what is gone, asked for by the names that a state has. */
    const finds = async (scope: AccountScope) => {
      const RoleName = "dev-host-role-0a1b2c3";
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: "{}" }));
      const machine = "arn:aws:states:us-east-1:123456789012:stateMachine:gone";
      const ids: Record<string, string> = {
        "aws:sfn/stateMachine:StateMachine": machine,
        "aws:budgets/budget:Budget": "123456789012:gone",
      };
      const named = namedTypes.map((type) => ({ type, id: ids[type] ?? "gone", outputs: {} }));
      const things = [...named, { type: "aws:iam/role:Role", id: RoleName, outputs: {} }];
      const receipt = await makeReceipt(scope, { attempts: 1, pauseMs: 0 }, things);
      assert.deepEqual(receipt.left, [{ service: "iam", kind: "role", id: RoleName }]);
      assert.deepEqual(receipt.unanswered, []);
      assert.equal(receipt.asked.at(-1), `${things.length} things of the state by name`);
    };
    try {
      for (const runId of ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]) {
        const Tags = [
          { Key: "berth:stack", Value: "dev" },
          { Key: "berth:run-id", Value: runId },
        ];
        const TagSpecifications = [{ ResourceType: "vpc" as const, Tags }];
        await ec2.send(new CreateVpcCommand({ CidrBlock: "10.9.0.0/16", TagSpecifications }));
        const RoleName = `dev-host-${runId}`;
        await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: "{}", Tags }));
        const Budget = {
          BudgetName: `dev-budget-month-${runId}`,
          BudgetType: "COST" as const,
          TimeUnit: "MONTHLY" as const,
          BudgetLimit: { Amount: "5", Unit: "USD" },
        };
        const AccountId = "123456789012";
        await budgets.send(new CreateBudgetCommand({ AccountId, Budget, ResourceTags: Tags }));
      }
      const ask = (runId?: string) =>
        makeReceipt(
          { stack: "dev", runId, region: "us-east-1", client },
          { attempts: 1, pauseMs: 0 },
        );
      const kinds = async (runId?: string) =>
        (await ask(runId)).left
          .map(({ kind }) => kind)
          .filter((kind) => /^(vpc|role|budget)$/.test(kind));
      assert.deepEqual(await kinds("aaaaaaaaaaaa"), ["budget", "vpc", "role"]);
      assert.deepEqual(await kinds("cccccccccccc"), []);
      assert.deepEqual(await kinds(), [...["budget", "budget", "vpc", "vpc", "role", "role"]]);
      const scope = { stack: "dev", runId: "aaaaaaaaaaaa", region: "us-east-1", client };
      const tell = () => undefined;
      const { removed } = await removeByTag(scope, { rounds: 3, pauseMs: 50, tell });
      assert.ok(removed.some(({ kind }) => kind === "budget"));
      assert.deepEqual(await kinds(), ["budget", "vpc", "role"]);
      await finds(scope);
      const runB = { ...scope, runId: "bbbbbbbbbbbb", region: "eu-west-1" };
      cloud.setFault({ kind: "access-denied", operation: "DescribeInstances", times: 1 });
      const elsewhere = await askElsewhere(runB, ["sa-east-1", "us-east-1", "eu-west-1"]);
      assert.equal(elsewhere.closed.length + elsewhere.regions.length, 2);
      assert.equal(elsewhere.closed.length, 1);
      assert.deepEqual(elsewhere.unanswered, []);
      const { left } = await askElsewhere(runB, ["us-east-1"]);
      assert.deepEqual(
        left.map(({ kind, region }) => [kind, region]),
        [["vpc", "us-east-1"]],
      );
    } finally {
      ec2.destroy();
      iam.destroy();
      budgets.destroy();
      await cloud.stop();
    }
  });
});
