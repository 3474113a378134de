import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as ec2 from "@aws-sdk/client-ec2";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import * as sfn from "@aws-sdk/client-sfn";
import * as scheduler from "@aws-sdk/client-scheduler";
import { timestamp } from "../../components/lease/lease.ts";
import { sweepByTag } from "../../components/teardown/sweep-by-tag.ts";
import { sweepElsewhere } from "../../components/teardown/sweep-elsewhere.ts";
import {
  sweepBounds,
  sweepElsewhereExpression,
  sweepExpression,
} from "../../components/teardown/teardown-times.ts";
import { atExpression, terminateByTag } from "../../components/teardown/terminate-by-tag.ts";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { dlami, settingsFor, until } from "../offline/cloud/account.ts";

const owner = { stack: "dev", owner: "alice", runId: "0123456789ab" };

function tagsOf(runId: string, protect: boolean) {
  const tags = {
    "berth:stack": "dev",
    "berth:owner": "alice",
    "berth:run-id": runId,
    "berth:protect": String(protect),
  };
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

const container = fileURLToPath(new URL("../offline/cloud/serving-container.mjs", import.meta.url));

interface Report {
  readonly kind: string;
  readonly spared: { readonly ids?: readonly string[] };
  readonly ended: { readonly ids?: readonly string[] };
  readonly marked: { readonly ids?: readonly string[] };
}

describe("teardown in the emulated account", function () {
  this.timeout(180_000);
  let cloud: Cloud;
  let client: ec2.EC2Client;
  let expiresAt: string;
  const RoleArn = "arn:aws:iam::123456789012:role/teardown";

  beforeEach(async () => {
    const command = [process.execPath, container] as const;
    const servingImages = [{ repository: "serve", command }];
    cloud = await startCloud({ tier: "none", servingImages });
    client = new ec2.EC2Client(settingsFor(cloud));
    expiresAt = timestamp(new Date(cloud.now().getTime() + 3600_000));
  });
  afterEach(() => cloud.stop());

  async function arm(
    name: string,
    definition: string,
    when: Pick<scheduler.CreateScheduleInput, "ScheduleExpression" | "StartDate" | "EndDate">,
    region = "us-east-1",
  ): Promise<void> {
    const machines = new sfn.SFNClient(settingsFor(cloud, region));
    const schedules = new scheduler.SchedulerClient(settingsFor(cloud, region));
    const { stateMachineArn: Arn } = await machines.send(
      new sfn.CreateStateMachineCommand({ name, roleArn: RoleArn, definition }),
    );
    const Input = JSON.stringify({ time: "<aws.scheduler.scheduled-time>" });
    await schedules.send(
      new scheduler.CreateScheduleCommand({
        Name: name,
        FlexibleTimeWindow: { Mode: "OFF" },
        Target: { Arn, RoleArn, Input },
        ...when,
      }),
    );
  }

  function armSweep(): Promise<void> {
    const { startDate, endDate } = sweepBounds(expiresAt);
    return arm("sweep", sweepByTag(owner), {
      ScheduleExpression: sweepExpression,
      StartDate: new Date(startDate),
      EndDate: new Date(endDate),
    });
  }

  async function launch(runId: string, protect: boolean): Promise<string> {
    const Tags = tagsOf(runId, protect);
    const run = await client.send(
      new ec2.RunInstancesCommand({
        ImageId: await dlami(cloud),
        InstanceType: "g6.xlarge",
        MinCount: 1,
        MaxCount: 1,
        TagSpecifications: [{ ResourceType: "instance", Tags }],
      }),
    );
    return run.Instances![0]!.InstanceId!;
  }

  /** One endpoint that is the run's own, and one that is protected. */
  async function makeEndpoints(): Promise<{ readonly kept: string }> {
    const ml = new sagemaker.SageMakerClient(settingsFor(cloud));
    const ExecutionRoleArn = RoleArn;
    await ml.send(
      new sagemaker.CreateModelCommand({
        ModelName: "m",
        ExecutionRoleArn,
        PrimaryContainer: { Image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/serve:1" },
      }),
    );
    await ml.send(
      new sagemaker.CreateEndpointConfigCommand({
        EndpointConfigName: "c",
        ProductionVariants: [
          {
            VariantName: "one",
            ModelName: "m",
            InitialInstanceCount: 1,
            InstanceType: "ml.g5.xlarge",
          },
        ],
      }),
    );
    for (const [EndpointName, protect] of [
      ["dev-own", false],
      ["dev-kept", true],
    ] as const) {
      const Tags = tagsOf(owner.runId, protect);
      await ml.send(
        new sagemaker.CreateEndpointCommand({ EndpointName, EndpointConfigName: "c", Tags }),
      );
    }
    return { kept: "dev-kept" };
  }

  async function endpointNames(): Promise<readonly (string | undefined)[]> {
    const ml = new sagemaker.SageMakerClient(settingsFor(cloud));
    const { Endpoints = [] } = await ml.send(new sagemaker.ListEndpointsCommand({}));
    return Endpoints.map(({ EndpointName }) => EndpointName);
  }

  async function states(): Promise<Record<string, string>> {
    const { Reservations } = await client.send(new ec2.DescribeInstancesCommand({}));
    const each = Reservations!.flatMap(({ Instances }) =>
      Instances!.map(({ InstanceId, State }) => [InstanceId, State?.Name]),
    );
    return Object.fromEntries(each) as Record<string, string>;
  }

  /** The last sweep's report of a kind. */
  async function lastReport(kind: string, region = "us-east-1"): Promise<Report> {
    const machines = new sfn.SFNClient(settingsFor(cloud, region));
    const { stateMachines } = await machines.send(new sfn.ListStateMachinesCommand({}));
    const { stateMachineArn } = stateMachines!.find(({ name }) => name === "sweep")!;
    const { executions } = await machines.send(new sfn.ListExecutionsCommand({ stateMachineArn }));
    const [newest] = executions!.toSorted((a, b) => Number(b.startDate) - Number(a.startDate));
    const { status, output, cause } = await machines.send(
      new sfn.DescribeExecutionCommand({ executionArn: newest!.executionArn }),
    );
    assert.equal(status, "SUCCEEDED", cause);
    return (JSON.parse(output!) as Report[]).find((report) => report.kind === kind)!;
  }

  it("by sweeps alone: marked at the first sight, ended at the second, within a quarter of an hour", async () => {
    const own = await launch(owner.runId, false);
    const kept = await launch(owner.runId, true);
    const foreign = await launch("ffffffffffff", false);
    const { VolumeId } = await client.send(
      new ec2.CreateVolumeCommand({
        AvailabilityZone: "us-east-1a",
        Size: 10,
        TagSpecifications: [{ ResourceType: "volume", Tags: tagsOf(owner.runId, false) }],
      }),
    );
    const endpoints = await makeEndpoints();
    await armSweep();
    await cloud.advanceClock(3600 + 60);
    assert.equal((await states())[own], "running");
    await cloud.advanceClock(6 * 60);
    assert.deepEqual((await lastReport("instance")).marked.ids, [own]);
    assert.deepEqual((await lastReport("instance")).spared.ids, [kept]);
    assert.deepEqual((await lastReport("volume")).marked.ids, [VolumeId]);
    assert.equal((await states())[own], "running");
    // What is refused goes with a later sweep, and does not keep the rest.
    cloud.setFault({ kind: "access-denied", operation: "DeleteVolume", times: 4 });
    await cloud.advanceClock(5 * 60);
    assert.deepEqual((await lastReport("instance")).ended.ids, [own]);
    await until(async () => (await endpointNames()).length === 1);
    assert.deepEqual(await endpointNames(), [endpoints.kept]);
    assert.deepEqual(await states(), {
      [own]: "terminated",
      [kept]: "running",
      [foreign]: "running",
    });
    const Filters = [{ Name: "volume-id", Values: [VolumeId!] }];
    const volumes = async () =>
      (await client.send(new ec2.DescribeVolumesCommand({ Filters }))).Volumes?.length;
    assert.equal(await volumes(), 1);
    await cloud.advanceClock(5 * 60);
    assert.equal(await volumes(), 0);
  });

  it("in other regions too: what was left there goes at the second sight, and what is protected or another's stays", async () => {
    const regions = ["eu-west-1", "us-west-2"];
    const inRegion = (region: string) => new ec2.EC2Client(settingsFor(cloud, region));
    const leave = async (region: string, runId: string, protect: boolean) => {
      const TagSpecifications = [{ ResourceType: "volume" as const, Tags: tagsOf(runId, protect) }];
      const volume = { AvailabilityZone: `${region}a`, Size: 10, TagSpecifications };
      return (await inRegion(region).send(new ec2.CreateVolumeCommand(volume))).VolumeId;
    };
    const standing = async (region: string) =>
      (await inRegion(region).send(new ec2.DescribeVolumesCommand({}))).Volumes?.map(
        ({ VolumeId }) => VolumeId,
      );
    const own = await Promise.all(regions.map((region) => leave(region, owner.runId, false)));
    const kept = await leave("eu-west-1", owner.runId, true);
    const foreign = await leave("us-west-2", "ffffffffffff", false);
    const { startDate, endDate } = sweepBounds(expiresAt);
    const StartDate = new Date(startDate);
    const when = { ScheduleExpression: sweepElsewhereExpression, StartDate };
    for (const region of [...regions, "sa-east-1"]) {
      const times = { ...when, EndDate: new Date(endDate) };
      await arm("sweep", sweepElsewhere(owner), times, region);
    }
    await cloud.advanceClock(3600 + 5 * 60);
    assert.deepEqual((await lastReport("volume", "us-west-2")).marked.ids, [own[1]]);
    assert.ok((await standing("eu-west-1"))?.includes(own[0]));
    await cloud.advanceClock(10 * 60);
    assert.deepEqual(await standing("eu-west-1"), [kept]);
    assert.deepEqual(await standing("us-west-2"), [foreign]);
    assert.equal(await lastReport("volume", "sa-east-1"), undefined);
  });

  it("by the schedule alone, which spares what is protected", async () => {
    const own = await launch(owner.runId, false);
    const kept = await launch(owner.runId, true);
    await arm("end", terminateByTag(owner), { ScheduleExpression: atExpression(expiresAt) });
    await cloud.advanceClock(3600 + 1);
    await until(async () => (await states())[own] === "terminated", 60);
    assert.equal((await states())[kept], "running");
  });
});
