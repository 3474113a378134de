import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import * as scheduler from "@aws-sdk/client-scheduler";
import * as sfn from "@aws-sdk/client-sfn";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { dlami, instanceOf, settingsFor } from "./account.ts";

describe("startCloud", () => {
  let cloud: Cloud;
  let settings: ReturnType<typeof settingsFor>;

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    settings = settingsFor(cloud);
  });

  after(async () => {
    await cloud.stop();
  });

  async function launch(): Promise<string> {
    const client = new ec2.EC2Client(settings);
    const run = await client.send(
      new ec2.RunInstancesCommand({
        ImageId: await dlami(cloud),
        InstanceType: "g6.xlarge",
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    return run.Instances![0]!.InstanceId!;
  }

  const stateOf = async (id: string): Promise<string | undefined> =>
    (await instanceOf(new ec2.EC2Client(settings), id)).State?.Name;

  const at = (seconds: number): string =>
    `at(${new Date(cloud.now().getTime() + seconds * 1000).toISOString().slice(0, 19)})`;

  it("fires a one-time schedule that terminates an instance, when its time has come", async () => {
    const id = await launch();
    const client = new scheduler.SchedulerClient(settings);
    await client.send(new scheduler.CreateScheduleGroupCommand({ Name: "stack" }));
    await client.send(
      new scheduler.CreateScheduleCommand({
        Name: "end",
        GroupName: "stack",
        ScheduleExpression: at(3600),
        FlexibleTimeWindow: { Mode: "OFF" },
        ActionAfterCompletion: "DELETE",
        Target: {
          Arn: "arn:aws:scheduler:::aws-sdk:ec2:terminateInstances",
          RoleArn: "arn:aws:iam::123456789012:role/teardown",
          Input: JSON.stringify({ InstanceIds: [id] }),
        },
      }),
    );
    await cloud.advanceClock(3500);
    assert.equal(await stateOf(id), "running");
    await cloud.advanceClock(200);
    assert.equal(await stateOf(id), "terminated");
    const { Schedules } = await client.send(new scheduler.ListSchedulesCommand({}));
    assert.deepEqual(Schedules, []);
    await client.send(new scheduler.DeleteScheduleGroupCommand({ Name: "stack" }));
    const fired = cloud.calls().find((call) => call.operation === "FireSchedule");
    assert.equal(fired?.status, 200);
    const ended = cloud.calls().find((call) => call.operation === "TerminateInstances");
    assert.equal(ended?.caller, "scheduler");
    assert.deepEqual(ended.parameters?.["InstanceId.1"], id);
  });

  it("starts a state machine from a recurring schedule; its tasks go through the cloud", async () => {
    const id = await launch();
    const machines = new sfn.SFNClient(settings);
    const role = await new iam.IAMClient(settings).send(
      new iam.CreateRoleCommand({ RoleName: "sweeper", AssumeRolePolicyDocument: "{}" }),
    );
    const { stateMachineArn } = await machines.send(
      new sfn.CreateStateMachineCommand({
        name: "sweep",
        roleArn: role.Role!.Arn!,
        definition: JSON.stringify({
          StartAt: "End",
          States: {
            End: {
              Type: "Task",
              Resource: "arn:aws:states:::aws-sdk:ec2:terminateInstances",
              Parameters: { "InstanceIds.$": "$.ids" },
              End: true,
            },
          },
        }),
      }),
    );
    const client = new scheduler.SchedulerClient(settings);
    await client.send(
      new scheduler.CreateScheduleCommand({
        Name: "sweep",
        ScheduleExpression: "rate(15 minutes)",
        FlexibleTimeWindow: { Mode: "OFF" },
        Target: {
          Arn: stateMachineArn!,
          RoleArn: role.Role!.Arn!,
          Input: JSON.stringify({ ids: [id] }),
        },
      }),
    );
    await cloud.advanceClock(16 * 60);
    assert.equal(await stateOf(id), "terminated");
    await client.send(new scheduler.DeleteScheduleCommand({ Name: "sweep" }));
    await machines.send(new sfn.DeleteStateMachineCommand({ stateMachineArn }));
    await new iam.IAMClient(settings).send(new iam.DeleteRoleCommand({ RoleName: "sweeper" }));
  });

  it("tries a target again, and tells in the log what came of it", async () => {
    const client = new scheduler.SchedulerClient(settings);
    const create = (Name: string, attempts: number) =>
      client.send(
        new scheduler.CreateScheduleCommand({
          Name,
          ScheduleExpression: at(60),
          FlexibleTimeWindow: { Mode: "OFF" },
          ActionAfterCompletion: "DELETE",
          Target: {
            Arn: "arn:aws:scheduler:::aws-sdk:ec2:deleteKeyPair",
            RoleArn: "arn:aws:iam::123456789012:role/teardown",
            Input: JSON.stringify({ KeyName: Name }),
            RetryPolicy: { MaximumRetryAttempts: attempts },
          },
        }),
      );
    cloud.setFault({ kind: "unavailable", operation: "DeleteKeyPair", times: 2 });
    await create("lucky", 3);
    await cloud.advanceClock(61);
    cloud.setFault({ kind: "unavailable", operation: "DeleteKeyPair", times: 1 });
    await create("unlucky", 0);
    await cloud.advanceClock(61);
    cloud.clearFaults();
    const fired = cloud.calls().filter((call) => call.operation === "FireSchedule");
    assert.deepEqual(
      fired.slice(-2).map((call) => [call.parameters?.["Attempts"], call.status, call.error]),
      [
        [3, 200, undefined],
        [1, 503, "Unavailable"],
      ],
    );
  });

  it("moves a schedule that is updated, and refuses what cannot be", async () => {
    const client = new scheduler.SchedulerClient(settings);
    const common = {
      Name: "moved",
      FlexibleTimeWindow: { Mode: "OFF" as const },
      ActionAfterCompletion: "DELETE" as const,
      Target: {
        Arn: "arn:aws:scheduler:::aws-sdk:ec2:deleteKeyPair",
        RoleArn: "arn:aws:iam::123456789012:role/teardown",
        Input: JSON.stringify({ KeyName: "moved" }),
      },
    };
    await client.send(
      new scheduler.CreateScheduleCommand({ ...common, ScheduleExpression: at(60) }),
    );
    await client.send(
      new scheduler.UpdateScheduleCommand({ ...common, ScheduleExpression: at(600) }),
    );
    const count = () => cloud.calls().filter((call) => call.operation === "DeleteKeyPair").length;
    const before = count();
    await cloud.advanceClock(120);
    assert.equal(count(), before);
    await cloud.advanceClock(600);
    assert.equal(count(), before + 1);
    const bad = (change: object) =>
      client.send(
        new scheduler.CreateScheduleCommand({ ...common, ScheduleExpression: at(60), ...change }),
      );
    const readOnly = "arn:aws:scheduler:::aws-sdk:ec2:describeInstances";
    await assert.rejects(bad({ Target: { ...common.Target, Arn: readOnly } }), {
      name: "ValidationException",
    });
    await assert.rejects(bad({ ScheduleExpression: "soon" }), { name: "ValidationException" });
  });

  it("refuses a schedule in the past", async () => {
    const command = new scheduler.CreateScheduleCommand({
      Name: "late",
      ScheduleExpression: at(-60),
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: {
        Arn: "arn:aws:scheduler:::aws-sdk:ec2:terminateInstances",
        RoleArn: "arn:aws:iam::123456789012:role/teardown",
        Input: "{}",
      },
    });
    await assert.rejects(new scheduler.SchedulerClient(settings).send(command), {
      name: "ValidationException",
    });
  });

  it("keeps objects, with ranges, and refuses to delete a bucket that holds one", async () => {
    const client = new s3.S3Client(settings);
    await client.send(new s3.CreateBucketCommand({ Bucket: "weights" }));
    const Body = Buffer.from("0123456789");
    await client.send(new s3.PutObjectCommand({ Bucket: "weights", Key: "a/b c.bin", Body }));
    const part = await client.send(
      new s3.GetObjectCommand({ Bucket: "weights", Key: "a/b c.bin", Range: "bytes=2-4" }),
    );
    assert.equal(await part.Body!.transformToString(), "234");
    assert.equal(part.ContentRange, "bytes 2-4/10");
    await assert.rejects(client.send(new s3.DeleteBucketCommand({ Bucket: "weights" })), {
      name: "BucketNotEmpty",
    });
    await client.send(new s3.DeleteObjectCommand({ Bucket: "weights", Key: "a/b c.bin" }));
    await client.send(new s3.DeleteBucketCommand({ Bucket: "weights" }));
  });

  it("has nothing left over after all that", async () => {
    assert.deepEqual(await cloud.leftovers(), []);
  });
});
