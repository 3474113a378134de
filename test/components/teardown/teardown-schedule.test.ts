import assert from "node:assert/strict";
import { TeardownSchedule } from "../../../components/teardown/teardown-schedule.ts";
import { someTags } from "../../support/builders.ts";
import { underMocks } from "../../support/mocks.ts";

function schedule(sweepRegions: readonly string[] = []) {
  return underMocks(
    () =>
      new TeardownSchedule("end", {
        stack: "dev",
        owner: "alice",
        runId: "0123456789ab",
        expiresAt: "2026-11-24T12:00:00Z",
        tags: someTags,
        sweepRegions,
      }),
  );
}

interface Trust {
  readonly Statement: readonly [{ Principal: { Service: string }; Condition?: object }];
}

function parsed(value: unknown): unknown {
  return JSON.parse(String(value));
}

describe("TeardownSchedule", () => {
  it("has these children and no others", async () => {
    const { childrenOf } = await schedule();
    assert.deepEqual(childrenOf("end"), [
      ["aws:scheduler/schedule:Schedule", "end-after-deadline"],
      ["aws:scheduler/schedule:Schedule", "end-at-deadline"],
      ["aws:scheduler/scheduleGroup:ScheduleGroup", "end-group"],
      ["aws:iam/rolePolicy:RolePolicy", "end-start"],
      ["aws:iam/role:Role", "end-starter-role"],
      ["aws:iam/rolePolicy:RolePolicy", "end-sweep"],
      ["aws:iam/rolePolicy:RolePolicy", "end-sweep-start"],
      ["aws:iam/role:Role", "end-sweep-starter"],
      ["aws:sfn/stateMachine:StateMachine", "end-sweeper"],
      ["aws:iam/role:Role", "end-sweeper-role"],
      ["aws:iam/rolePolicy:RolePolicy", "end-terminate"],
      ["aws:sfn/stateMachine:StateMachine", "end-terminator"],
      ["aws:iam/role:Role", "end-terminator-role"],
    ]);
  });

  it("sweeps each further region with parts that are there, and two roles for all of them", async () => {
    const { childrenOf, named } = await schedule(["eu-west-1", "us-west-2"]);
    const own = new Set((await schedule()).childrenOf("end").map(([, name]) => name));
    const more = childrenOf("end").filter(([, name]) => !own.has(name));
    assert.deepEqual(
      more.map(([, name]) => [name, named(name).inputs["region"]]),
      [
        ["end-elsewhere-fire", undefined],
        ["end-elsewhere-role", undefined],
        ["end-elsewhere-start", undefined],
        ["end-elsewhere-sweep", undefined],
        ["end-eu-west-1", "eu-west-1"],
        ["end-eu-west-1-after-deadline", "eu-west-1"],
        ["end-eu-west-1-sweeper", "eu-west-1"],
        ["end-us-west-2", "us-west-2"],
        ["end-us-west-2-after-deadline", "us-west-2"],
        ["end-us-west-2-sweeper", "us-west-2"],
      ],
    );
    const { Statement } = parsed(named("end-elsewhere-fire").inputs["policy"]) as {
      Statement: readonly [{ Resource: readonly string[] }];
    };
    assert.equal(Statement[0].Resource.length, 2);
    assert.equal(
      named("end-elsewhere-sweep").inputs["policy"],
      named("end-sweep").inputs["policy"],
    );
  });

  it("has names that AWS takes for the longest stack in the longest region", async () => {
    const longest = `${"s".repeat(31)}-teardown`;
    const { resources } = await underMocks(
      () =>
        new TeardownSchedule(longest, {
          ...{ stack: "s", owner: "alice", runId: "0123456789ab", tags: someTags },
          expiresAt: "2026-11-24T12:00:00Z",
          sweepRegions: ["ap-southeast-1"],
        }),
    );
    // Pulumi puts eight characters after a name of its own making.
    const limits: Readonly<Record<string, number>> = {
      "aws:iam/role:Role": 64 - 8,
      "aws:scheduler/scheduleGroup:ScheduleGroup": 64 - 8,
      "aws:scheduler/schedule:Schedule": 64 - 8,
      "aws:sfn/stateMachine:StateMachine": 80 - 8,
    };
    for (const { type, name, inputs } of resources) {
      const limit = limits[type] ?? Infinity;
      assert.ok(inputs["name"] !== undefined || name.length <= limit, `${name} of ${type}`);
    }
  });

  it("fires once, at the deadline in UTC, and tries again when it fails", async () => {
    const { inputs } = (await schedule()).named("end-at-deadline");
    assert.equal(inputs["scheduleExpression"], "at(2026-11-24T12:00:00)");
    assert.equal(inputs["scheduleExpressionTimezone"], "UTC");
    assert.deepEqual(inputs["flexibleTimeWindow"], { mode: "OFF" });
    assert.deepEqual(inputs["target"], {
      arn: "arn:aws:mock:us-east-1:123456789012:end-terminator",
      roleArn: "arn:aws:mock:us-east-1:123456789012:end-starter-role",
      retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
    });
  });

  it("sweeps from shortly after the deadline, for hours, and tells the sweep the time", async () => {
    const { inputs } = (await schedule()).named("end-after-deadline");
    assert.equal(inputs["scheduleExpression"], "rate(5 minutes)");
    assert.equal(inputs["startDate"], "2026-11-24T12:03:00Z");
    assert.equal(inputs["endDate"], "2026-11-24T18:03:00Z");
    const { input } = inputs["target"] as { input: string };
    assert.deepEqual(JSON.parse(input), { time: "<aws.scheduler.scheduled-time>" });
  });

  it("says the deadline on the group of its schedules", async () => {
    const { inputs } = (await schedule()).named("end-group");
    const tags = inputs["tags"] as Record<string, string>;
    assert.equal(tags["berth:expires-at"], "2026-11-24T12:00:00Z");
  });

  it("may terminate only instances that carry the deployment's tags", async () => {
    const { inputs } = (await schedule()).named("end-terminate");
    assert.deepEqual(parsed(inputs["policy"]), {
      Version: "2012-10-17",
      Statement: [
        { Sid: "Look", Effect: "Allow", Action: "ec2:DescribeInstances", Resource: "*" },
        {
          Sid: "EndOwnHosts",
          Effect: "Allow",
          Action: "ec2:TerminateInstances",
          Resource: "arn:aws:ec2:*:*:instance/*",
          Condition: {
            StringEquals: {
              "aws:ResourceTag/berth:stack": "dev",
              "aws:ResourceTag/berth:owner": "alice",
              "aws:ResourceTag/berth:run-id": "0123456789ab",
              "aws:ResourceTag/berth:protect": "false",
            },
          },
        },
      ],
    });
  });

  it("lets the schedule start that one state machine, and only its own group use the role", async () => {
    const { named } = await schedule();
    assert.deepEqual(parsed(named("end-start").inputs["policy"]), {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: "states:StartExecution",
          Resource: "arn:aws:mock:us-east-1:123456789012:end-terminator",
        },
      ],
    });
    const [trust] = (parsed(named("end-starter-role").inputs["assumeRolePolicy"]) as Trust)
      .Statement;
    assert.equal(trust.Principal.Service, "scheduler.amazonaws.com");
    const group = "arn:aws:mock:us-east-1:123456789012:end-group";
    assert.deepEqual(trust.Condition, { ArnLike: { "aws:SourceArn": group } });
    for (const name of ["end-terminator-role", "end-sweeper-role"]) {
      const [machine] = (parsed(named(name).inputs["assumeRolePolicy"]) as Trust).Statement;
      const own = "arn:aws:states:*:123456789012:stateMachine:end-*";
      assert.deepEqual(machine.Condition, { ArnLike: { "aws:SourceArn": own } });
    }
  });

  it("asks for unprotected instances by all three tags, and looks again after it terminated some", async () => {
    const { inputs } = (await schedule()).named("end-terminator");
    const { States: states } = parsed(inputs["definition"]) as {
      States: Record<string, { Next?: string; Parameters?: { Filters?: object[] } }>;
    };
    assert.deepEqual(states["FindHosts"]?.Parameters?.Filters, [
      { Name: "tag:berth:stack", Values: ["dev"] },
      { Name: "tag:berth:owner", Values: ["alice"] },
      { Name: "tag:berth:run-id", Values: ["0123456789ab"] },
      { Name: "tag:berth:protect", Values: ["false"] },
      { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
    ]);
    assert.equal(states["Settle"]?.Next, "FindHosts");
  });
});
