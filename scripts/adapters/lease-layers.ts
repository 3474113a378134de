import {
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeInstancesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import {
  GetScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
  TagResourceCommand,
  UpdateScheduleCommand,
  type GetScheduleCommandOutput,
  type UpdateScheduleCommandInput,
} from "@aws-sdk/client-scheduler";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { expiryTag, protectTag, sweepTag } from "../../components/identity.ts";
import { timestamp } from "../../components/lease/lease.ts";
import type { LeaseLayer } from "../../components/lease/lease-layers.ts";
import { lastStart, sweepBounds } from "../../components/teardown/teardown-times.ts";
import { atExpression } from "../../components/teardown/terminate-by-tag.ts";
import {
  readHostDeadline,
  readHostProtection,
  setHostDeadline,
  setHostProtection,
} from "../../provider/host-deadline.ts";
import { hostOf, onHost, type Connection } from "../../provider/connection.ts";
import { endpointProtection } from "./endpoint/endpoint-layers.ts";
import { ec2Ids } from "./receipt/receipt-ec2.ts";
import { scopeTag, type AccountScope } from "./account-scope.ts";
import { readStackState, writeStateDeadline, type RecordedSchedule } from "./stack-state.ts";

/** What a fleet launches, and what therefore says its own deadline. */
export const launchedKinds = ["instance", "volume", "network-interface", "spot-request"];

/** Times a call is tried, throttling included. */
const maxAttempts = 6;

async function withScheduler<T>(
  scope: AccountScope,
  work: (client: SchedulerClient) => Promise<T>,
): Promise<T> {
  const client = new SchedulerClient({ ...scope.client, maxAttempts });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

/** The account where a schedule is. */
export function placeOf(
  scope: AccountScope,
  { region = scope.region }: RecordedSchedule,
): AccountScope {
  return { ...scope, region, client: { ...scope.client, region } };
}

function called({ name, kind, region }: RecordedSchedule): string {
  const what = kind === "after-deadline" ? "the sweep" : "the schedule";
  return region === undefined ? `${what} ${name}` : `${what} of ${region}`;
}

async function withEc2<T>(
  scope: AccountScope,
  work: (client: EC2Client) => Promise<T>,
): Promise<T> {
  const client = new EC2Client({ ...scope.client, maxAttempts });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

async function findSchedule(
  scope: AccountScope,
  schedule: RecordedSchedule,
): Promise<GetScheduleCommandOutput | undefined> {
  const { groupName, name } = schedule;
  try {
    return await withScheduler(placeOf(scope, schedule), (client) =>
      client.send(new GetScheduleCommand({ GroupName: groupName, Name: name })),
    );
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** An update that leaves something out resets it, so all of the schedule goes along. */
async function updateSchedule(
  scope: AccountScope,
  schedule: RecordedSchedule,
  change: Partial<UpdateScheduleCommandInput>,
): Promise<void> {
  const found = await findSchedule(scope, schedule);
  if (found === undefined) throw new Error(`the schedule ${schedule.name} is gone`);
  const { Name, GroupName, ScheduleExpression, ScheduleExpressionTimezone, StartDate } = found;
  const { EndDate, Description, State, KmsKeyArn, Target, FlexibleTimeWindow } = found;
  const { ActionAfterCompletion } = found;
  const whole = { Name, GroupName, ScheduleExpression, ScheduleExpressionTimezone, StartDate };
  const rest = { EndDate, Description, State, KmsKeyArn, ActionAfterCompletion };
  await withScheduler(placeOf(scope, schedule), (client) =>
    client.send(
      new UpdateScheduleCommand({ ...whole, ...rest, Target, FlexibleTimeWindow, ...change }),
    ),
  );
}

function scheduleTimes(kind: RecordedSchedule["kind"], expiresAt: string) {
  if (kind === "at-deadline") return { ScheduleExpression: atExpression(expiresAt) };
  if (expiresAt === "") return { EndDate: undefined };
  if (kind === "hours-start") return { EndDate: new Date(lastStart(expiresAt)) };
  if (kind === "hours-stop") return { EndDate: new Date(expiresAt) };
  const { startDate, endDate } = sweepBounds(expiresAt);
  return { StartDate: new Date(startDate), EndDate: new Date(endDate) };
}

function deadlineOf(kind: RecordedSchedule["kind"], found: GetScheduleCommandOutput): string {
  if (kind === "at-deadline") {
    return `${/^at\((.*)\)$/.exec(found.ScheduleExpression ?? "")?.[1] ?? ""}Z`;
  }
  // What was read is written back by its distance from the deadline.
  const epoch = "1970-01-01T00:00:00Z";
  const [date, distance] =
    kind === "after-deadline"
      ? [found.StartDate, Date.parse(sweepBounds(epoch).startDate)]
      : [found.EndDate, kind === "hours-start" ? Date.parse(lastStart(epoch)) : 0];
  return date === undefined ? "" : timestamp(new Date(date.getTime() - distance));
}

/** A schedule's times. One that has fired and is over is still there, and can be given a new time. */
export function scheduleLayer(scope: AccountScope, schedule: RecordedSchedule): LeaseLayer {
  return {
    name: called(schedule),
    read: async () => {
      const found = await findSchedule(scope, schedule);
      return found === undefined ? undefined : deadlineOf(schedule.kind, found);
    },
    write: (expiresAt) => updateSchedule(scope, schedule, scheduleTimes(schedule.kind, expiresAt)),
  };
}

/** Whether a schedule fires at all: "true" (protected) means that it does not. */
export function scheduleProtection(scope: AccountScope, schedule: RecordedSchedule): LeaseLayer {
  return {
    name: called(schedule),
    read: async () => {
      const found = await findSchedule(scope, schedule);
      return found === undefined ? undefined : String(found.State === "DISABLED");
    },
    write: (value) =>
      updateSchedule(scope, schedule, { State: value === "true" ? "DISABLED" : "ENABLED" }),
  };
}

const startInput = z.looseObject({
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })),
});

/** What weekly hours give an endpoint that they start again: it is to be as protected as the one before it. */
export function startProtection(scope: AccountScope, schedule: RecordedSchedule): LeaseLayer {
  const read = async () => {
    const found = await findSchedule(scope, schedule);
    if (found?.Target?.Input === undefined) return undefined;
    return { target: found.Target, input: startInput.parse(JSON.parse(found.Target.Input)) };
  };
  return {
    name: `the tag ${protectTag} that ${schedule.name} gives`,
    read: async () => (await read())?.input.Tags.find(({ Key }) => Key === protectTag)?.Value,
    write: async (Value) => {
      const now = await read();
      if (now === undefined) throw new Error(`the schedule ${schedule.name} is gone`);
      const Tags = now.input.Tags.map((tag) => (tag.Key === protectTag ? { ...tag, Value } : tag));
      const Input = JSON.stringify({ ...now.input, Tags });
      await updateSchedule(scope, schedule, { Target: { ...now.target, Input } });
    },
  };
}

function onIt<T>(connection: Connection, act: Parameters<typeof onHost<T>>[1]): Promise<T> {
  return onHost(hostOf(connection, { connectMs: 30_000 }), act);
}

/** The timer on the host itself. */
export function hostLayer(connection: Connection): LeaseLayer {
  return {
    name: `the timer on the host ${connection.host}`,
    read: () => onIt(connection, readHostDeadline),
    write: (expiresAt) => onIt(connection, (host) => setHostDeadline(host, expiresAt)),
  };
}

/** Whether the host's own timers, that of the deadline and that of idleness, are kept from ending it. */
export function hostProtection(connection: Connection): LeaseLayer {
  return {
    name: `the timers on the host ${connection.host}`,
    read: async () => String(await onIt(connection, readHostProtection)),
    write: (value) => onIt(connection, (host) => setHostProtection(host, value === "true")),
  };
}

/** A tag of the launched instance, as it is now; undefined when there is no instance. */
async function instanceTag(scope: AccountScope, key: string): Promise<string | undefined> {
  const { Key, Value } = scopeTag(scope);
  const live = ["pending", "running", "stopping", "stopped"];
  const { Reservations = [] } = await withEc2(scope, (client) =>
    client.send(
      new DescribeInstancesCommand({
        Filters: [
          { Name: `tag:${Key}`, Values: [Value] },
          { Name: "instance-state-name", Values: live },
        ],
      }),
    ),
  );
  const tags = Reservations[0]?.Instances?.[0]?.Tags;
  return tags?.find((tag) => tag.Key === key)?.Value;
}

/** Gives a tag to all of these, and takes the marks of sweeps away. */
export async function tagAll(
  scope: AccountScope,
  Resources: readonly string[],
  tag: { readonly Key: string; readonly Value: string },
): Promise<void> {
  if (Resources.length === 0) return;
  await withEc2(scope, async (client) => {
    await client.send(new CreateTagsCommand({ Resources: [...Resources], Tags: [tag] }));
    // What a sweep has marked is not to go on a reading from before.
    const Tags = [{ Key: sweepTag }];
    await client.send(new DeleteTagsCommand({ Resources: [...Resources], Tags }));
  });
}

/** The deadline on what was launched, and on the schedules' group. */
export function expiryTagLayer(scope: AccountScope, groupArn: string | undefined): LeaseLayer {
  return {
    name: `the tags ${expiryTag}`,
    read: () => instanceTag(scope, expiryTag),
    write: async (expiresAt) => {
      const tag = { Key: expiryTag, Value: expiresAt };
      await tagAll(scope, await ec2Ids(scope, launchedKinds), tag);
      if (groupArn === undefined) return;
      await withScheduler(scope, (client) =>
        client.send(new TagResourceCommand({ ResourceArn: groupArn, Tags: [tag] })),
      );
    },
  };
}

/** The tag that keeps all of a deployment, a host's or an endpoint's, from whatever nobody asked for. */
export function protectionTags(scope: AccountScope, endpointArn?: string): LeaseLayer {
  if (endpointArn !== undefined) return endpointProtection(scope, endpointArn);
  return {
    name: `the tags ${protectTag}`,
    read: () => instanceTag(scope, protectTag),
    write: async (Value) => tagAll(scope, await ec2Ids(scope), { Key: protectTag, Value }),
  };
}

/** The deadline in the stack's state, from which every later `up` takes it. */
export function stateLayer(stack: Stack): LeaseLayer {
  return {
    name: "the stack's state",
    read: async () => (await readStackState(stack)).lease?.expiresAt,
    write: (expiresAt) => writeStateDeadline(stack, expiresAt),
  };
}

/** A setting in the stack's file, where it is there already. */
export function settingLayer(stack: Stack, key: string, value: string | undefined): LeaseLayer {
  return {
    name: `${key} in the stack's file`,
    read: () => Promise.resolve(value),
    write: (next) => stack.setConfig(key, { value: next }),
  };
}
