import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import * as scheduler from "@aws-sdk/client-scheduler";
import { LayerError, rewriteLayers } from "../../../components/lease/lease-layers.ts";
import { timestamp } from "../../../components/lease/lease.ts";
import { startEventSeconds, sweepBounds } from "../../../components/teardown/teardown-times.ts";
import { atExpression } from "../../../components/teardown/terminate-by-tag.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import type { AccountScope } from "../../../scripts/adapters/account-scope.ts";
import { groupTag } from "../../../scripts/adapters/endpoint/endpoint-layers.ts";
import {
  expiryTagLayer,
  hostLayer,
  hostProtection,
  protectionTags,
  scheduleLayer,
  scheduleProtection,
  startProtection,
} from "../../../scripts/adapters/lease-layers.ts";
import { readProtection } from "../../../scripts/adapters/read-protection.ts";
import type { RecordedSchedule } from "../../../scripts/adapters/stack-state.ts";
import { dlami, settingsFor } from "../../offline/cloud/account.ts";
import { needsSshd, startSshd, type TestSshd } from "../../provider/support/sshd.ts";

const runId = "0123456789ab";
const at: RecordedSchedule = { groupName: "dev", name: "at", kind: "at-deadline" };
const sweep: RecordedSchedule = { groupName: "dev", name: "sweep", kind: "after-deadline" };

describe("the layers of a lease, on a real sshd and in the emulated account", () => {
  let cloud: Cloud;
  let sshd: TestSshd;
  let scope: AccountScope;
  let client: ec2.EC2Client;
  let old: string;
  let later: string;
  const savedKey = process.env["BERTH_SSH_PRIVATE_KEY"];

  before(async function () {
    needsSshd(this);
    [cloud, sshd] = await Promise.all([startCloud({ tier: "none" }), startSshd()]);
    process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
    const settings = settingsFor(cloud);
    scope = { stack: "dev", runId, region: "us-east-1", client: settings };
    client = new ec2.EC2Client(settings);
    old = timestamp(new Date(cloud.now().getTime() + 3600_000));
    later = timestamp(new Date(cloud.now().getTime() + 7200_000));
    await arm();
    await launch();
  });

  after(async () => {
    if (savedKey === undefined) Reflect.deleteProperty(process.env, "BERTH_SSH_PRIVATE_KEY");
    else process.env["BERTH_SSH_PRIVATE_KEY"] = savedKey;
    await cloud.stop();
    await sshd.stop();
  });

  async function arm(): Promise<void> {
    const schedules = new scheduler.SchedulerClient(scope.client);
    await schedules.send(new scheduler.CreateScheduleGroupCommand({ Name: "dev" }));
    const common = {
      GroupName: "dev",
      FlexibleTimeWindow: { Mode: "OFF" as const },
      Target: {
        Arn: "arn:aws:states:us-east-1:123456789012:stateMachine:end",
        RoleArn: "arn:aws:iam::123456789012:role/end",
        Input: '{"time":"t"}',
      },
    };
    const { startDate, endDate } = sweepBounds(old);
    const times = { StartDate: new Date(startDate), EndDate: new Date(endDate) };
    const rate = { ScheduleExpression: "rate(5 minutes)", ...times };
    const once = { ScheduleExpression: atExpression(old) };
    await schedules.send(new scheduler.CreateScheduleCommand({ ...common, ...once, Name: "at" }));
    await schedules.send(
      new scheduler.CreateScheduleCommand({ ...common, ...rate, Name: "sweep" }),
    );
  }

  async function launch(): Promise<void> {
    const tags = {
      "berth:stack": "dev",
      "berth:run-id": runId,
      "berth:expires-at": old,
      "berth:protect": "false",
      "berth:sweep-at": old,
    };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    // No sweep ends a key pair, so none marks it.
    const unmarked = Tags.filter(({ Key }) => Key !== "berth:sweep-at");
    const TagSpecifications = [{ ResourceType: "key-pair" as const, Tags: unmarked }];
    await client.send(new ec2.CreateKeyPairCommand({ KeyName: "dev-host-key", TagSpecifications }));
    await client.send(
      new ec2.RunInstancesCommand({
        ...{ ImageId: await dlami(cloud), InstanceType: "g6.xlarge", MinCount: 1, MaxCount: 1 },
        TagSpecifications: [
          { ResourceType: "instance", Tags },
          { ResourceType: "volume", Tags },
        ],
      }),
    );
  }

  function deadlineLayers() {
    const { port, user, hostKey } = sshd;
    const host = hostLayer({ host: "127.0.0.1", port, user, hostKey });
    const schedules = [scheduleLayer(scope, at), scheduleLayer(scope, sweep)];
    return [...schedules, host, expiryTagLayer(scope, undefined)];
  }

  const held = () => Promise.all(deadlineLayers().map(({ read }) => read()));

  it("gives all of them a new deadline, or none when one refuses", async () => {
    const [atLayer, sweepLayer, host, tags] = deadlineLayers();
    await host!.write(old);
    assert.deepEqual(await held(), [old, old, old, old]);

    cloud.setFault({ kind: "access-denied", operation: "CreateTags", times: 1 });
    const layers = [atLayer!, sweepLayer!, host!, tags!];
    await assert.rejects(rewriteLayers(layers, later), (error) => {
      assert.ok(error instanceof LayerError);
      assert.match(error.message, /tags berth:expires-at: .*not authorized/);
      assert.deepEqual(error.stuck, []);
      return true;
    });
    assert.deepEqual(await held(), [old, old, old, old]);

    await rewriteLayers(layers, later);
    assert.deepEqual(await held(), [later, later, later, later]);
  });

  it("takes the marks of a sweep away with the old deadline, and keeps the schedule's target", async () => {
    const { Tags = [] } = await client.send(new ec2.DescribeTagsCommand({}));
    assert.ok(!Tags.some(({ Key }) => Key === "berth:sweep-at"));
    const schedules = new scheduler.SchedulerClient(scope.client);
    const found = await schedules.send(
      new scheduler.GetScheduleCommand({ GroupName: "dev", Name: "sweep" }),
    );
    assert.equal(found.Target?.Input, '{"time":"t"}');
    assert.equal(found.ScheduleExpression, "rate(5 minutes)");
    assert.equal(found.State, "ENABLED");
  });

  it("moves the last start of weekly hours, and has what they start protected as all is", async () => {
    const schedules = new scheduler.SchedulerClient(scope.client);
    const [stop, start] = (["hours-stop", "hours-start"] as const).map((kind) => ({
      ...{ groupName: "dev", name: `${kind}-1` },
      kind,
    }));
    const Tags = [
      { Key: "berth:owner", Value: "alice" },
      { Key: "berth:protect", Value: "false" },
    ];
    for (const each of [stop!, start!]) {
      await schedules.send(
        new scheduler.CreateScheduleCommand({
          ...{ GroupName: "dev", Name: each.name, FlexibleTimeWindow: { Mode: "OFF" } },
          ScheduleExpression: "cron(0 8 ? * MON *)",
          Target: {
            Arn: "arn:aws:scheduler:::aws-sdk:sagemaker:createEndpoint",
            RoleArn: "arn:aws:iam::123456789012:role/switch",
            Input: JSON.stringify({ EndpointName: "dev-own", Tags }),
          },
        }),
      );
    }
    const layers = [stop!, start!].map((each) => scheduleLayer(scope, each));
    const read = () => Promise.all(layers.map((layer) => layer.read()));
    assert.deepEqual(await read(), ["", ""]);
    await rewriteLayers(layers, later);
    assert.deepEqual(await read(), [later, later]);
    const told = () =>
      schedules.send(new scheduler.GetScheduleCommand({ GroupName: "dev", Name: start!.name }));
    const gap = Date.parse(later) - (await told()).EndDate!.getTime();
    assert.equal(gap, startEventSeconds * 1000);
    const protection = startProtection(scope, start!);
    assert.equal(await protection.read(), "false");
    await protection.write("true");
    const { Target, EndDate, State } = await told();
    assert.deepEqual(JSON.parse(Target!.Input!), {
      EndpointName: "dev-own",
      Tags: [Tags[0], { Key: "berth:protect", Value: "true" }],
    });
    assert.equal(State, "ENABLED");
    assert.equal(EndDate!.getTime() + gap, Date.parse(later));
    await rewriteLayers(layers, "");
    assert.deepEqual(await read(), ["", ""]);
  });

  it("knows from the schedules alone that a stopped endpoint is protected", async () => {
    const schedules = new scheduler.SchedulerClient(scope.client);
    const { Arn: groupArn } = await schedules.send(
      new scheduler.GetScheduleGroupCommand({ Name: "dev" }),
    );
    const endpointArn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/dev-stopped";
    const protection = () => readProtection(scope, { endpointArn, groupArn, schedules: [at] });
    assert.equal(await protection(), "false");
    await scheduleProtection(scope, at).write("true");
    assert.equal(await protection(), "true");
    await scheduleProtection(scope, at).write("false");
    await groupTag(scope, groupArn!, "berth:protect").write("true");
    assert.equal(await protection(), "true");
    await groupTag(scope, groupArn!, "berth:protect").write("false");
    assert.equal(await protection(), "false");
  });

  it("protects in all of them, and takes it back", async () => {
    const { port, user, hostKey } = sshd;
    const layers = [
      protectionTags(scope),
      hostProtection({ host: "127.0.0.1", port, user, hostKey }),
      scheduleProtection(scope, at),
      scheduleProtection(scope, sweep),
    ];
    for (const value of ["true", "false"]) {
      await rewriteLayers(layers, value);
      const all = await Promise.all(layers.map(({ read }) => read()));
      assert.deepEqual(all, [value, value, value, value]);
    }
    assert.deepEqual(await held(), [later, later, later, later]);
  });
});
