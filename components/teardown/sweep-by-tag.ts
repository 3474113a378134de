import { ownerTag, protectTag, runTag, stackTag, sweepTag } from "../identity.ts";
import { sweptKinds, type SweptKind } from "./swept-kinds.ts";
import type { HostOwner } from "./terminate-by-tag.ts";

/** One state of a machine, in Amazon States Language. */
export type State = Readonly<Record<string, unknown>>;
type States = Readonly<Record<string, State>>;

/** An SDK integration, as a task names it. */
export const task = (call: string) => `arn:aws:states:::aws-sdk:${call}`;

/** Throttling passes; what does not is told in the execution's output, and the next firing tries again. */
export const patient = [
  { ErrorEquals: ["States.TaskFailed"], IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2 },
];

/** Tags that are wanted, by key; a key alone is wanted with any value. */
type Wanted = Readonly<Record<string, string | undefined>>;

/** How a listing is asked for what carries tags. */
function tagged(kind: SweptKind, { stack, owner, runId }: HostOwner, more: Wanted) {
  const all: Wanted = { [stackTag]: stack, [ownerTag]: owner, [runTag]: runId, ...more };
  const wanted = Object.entries(all);
  if (kind.asks === "tag-index") {
    return {
      TagFilters: wanted.map(([Key, value]) =>
        value === undefined ? { Key } : { Key, Values: [value] },
      ),
    };
  }
  const Filters = [
    ...wanted.map(([key, value]) =>
      value === undefined
        ? { Name: "tag-key", Values: [key] }
        : { Name: `tag:${key}`, Values: [value] },
    ),
    ...Object.entries(kind.filters ?? {}).map(([Name, Values]) => ({ Name, Values })),
  ];
  return { Filters };
}

/** One question of a branch: what is found goes to `then`, and nothing, or no answer, goes on at `next`. */
interface Look {
  readonly name: string;
  readonly wanted: Wanted;
  readonly then: string;
  readonly next: string;
}

function look(kind: SweptKind, owner: HostOwner, ask: Look): States {
  const { find, also, list } = kind;
  const answered = `${ask.name}Any`;
  return {
    [ask.name]: {
      Type: "Task",
      Resource: task(find),
      Parameters: { ...also, ...tagged(kind, owner, ask.wanted) },
      Retry: patient,
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failed", Next: ask.next }],
      ResultPath: "$.answer",
      Next: answered,
    },
    [answered]: {
      Type: "Choice",
      // The choice looks at the answer itself, since a path that matches nothing is an error in some engines.
      Choices: [
        { Variable: `$.answer.${list.replace("[*]", "[0]")}[0]`, IsPresent: true, Next: ask.then },
      ],
      Default: ask.next,
    },
  };
}

/** Says what was decided, and why, in the execution's output. */
function note(kind: SweptKind, place: string, reason: string, next: string): State {
  const ids = `$.answer.${kind.list}[*].${kind.id}`;
  return {
    Type: "Pass",
    Parameters: { reason, "ids.$": ids },
    ResultPath: `$.${place}`,
    Next: next,
  };
}

/** Ends all that was found. */
function ending(kind: SweptKind, next: string): State {
  const caught = [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failed", Next: next }];
  const all = `$.answer.${kind.list}[*]`;
  if ("all" in kind.ids) {
    return {
      Type: "Task",
      Resource: task(kind.end),
      Parameters: { [`${kind.ids.all}.$`]: `${all}.${kind.id}` },
      Retry: patient,
      Catch: caught,
      ResultPath: "$.answered",
      Next: next,
    };
  }
  return forEach(
    kind,
    { call: kind.end, parameters: { [`${kind.ids.one}.$`]: kind.ids.from ?? `$.${kind.id}` } },
    next,
  );
}

/** Makes a call for each that was found; one that is refused must not keep the others. */
function forEach(
  { list }: SweptKind,
  { call, parameters }: { readonly call: string; readonly parameters: object },
  next: string,
): State {
  const one: State = {
    Type: "Task",
    Resource: task(call),
    Parameters: parameters,
    Retry: patient,
    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Kept" }],
    End: true,
  };
  return {
    Type: "Map",
    ItemsPath: `$.answer.${list}`,
    MaxConcurrency: 1,
    Iterator: { StartAt: "Each", States: { Each: one, Kept: { Type: "Pass", End: true } } },
    Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failed", Next: next }],
    ResultPath: "$.answered",
    Next: next,
  };
}

/** Says on all that was found when it was seen. */
function marking(kind: SweptKind, next: string): State {
  const Tags = [{ Key: sweepTag, "Value.$": "$.time" }];
  if (kind.asks === "tag-index") {
    // Inside a map the sweep's time is out of reach; the mark names the execution that made it.
    const parameters = {
      "ResourceArn.$": "$.ResourceARN",
      Tags: [{ Key: sweepTag, "Value.$": "$$.Execution.Name" }],
    };
    return forEach(kind, { call: "sagemaker:addTags", parameters }, next);
  }
  return {
    Type: "Task",
    Resource: task("ec2:createTags"),
    Parameters: { "Resources.$": `$.answer.${kind.list}[*].${kind.id}`, Tags },
    Retry: patient,
    Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failed", Next: "Report" }],
    ResultPath: "$.answered",
    Next: next,
  };
}

/** Find, spare what is protected, end what an earlier firing marked, mark the rest. */
function branch(kind: SweptKind, owner: HostOwner): State {
  const unprotected = { [protectTag]: "false" };
  const marked = { ...unprotected, [sweepTag]: undefined };
  const states: States = {
    Begin: {
      Type: "Pass",
      Parameters: { "time.$": "$.time", spared: {}, ended: {}, marked: {}, failed: {} },
      Next: "Protected",
    },
    ...look(kind, owner, {
      name: "Protected",
      wanted: { [protectTag]: "true" },
      then: "Spare",
      next: "Marked",
    }),
    Spare: note(kind, "spared", `${protectTag} is true`, "Marked"),
    ...look(kind, owner, { name: "Marked", wanted: marked, then: "SayEnded", next: "Unmarked" }),
    SayEnded: note(kind, "ended", "the lease was over before, and still is", "End"),
    End: ending(kind, "Unmarked"),
    ...look(kind, owner, {
      name: "Unmarked",
      wanted: unprotected,
      then: "Mark",
      next: "Report",
    }),
    Mark: marking(kind, "SayMarked"),
    SayMarked: note(
      kind,
      "marked",
      "the lease is over; the next sweep ends it if that is still so",
      "Report",
    ),
    Report: {
      Type: "Pass",
      Parameters: {
        kind: kind.kind,
        "spared.$": "$.spared",
        "ended.$": "$.ended",
        "marked.$": "$.marked",
        "failed.$": "$.failed",
      },
      End: true,
    },
  };
  return { StartAt: "Begin", States: states };
}

/**
 * One sweep of a deployment whose lease is over, in Amazon States Language. It ends what the sweep before it marked, and marks
 * what else is there, so that nothing goes on one reading: an extended lease takes the marks away, a protected thing is never
 * ended. The execution's output has each decision with its reason. Input: `{"time": "<RFC 3339>"}`.
 */
export function sweepByTag(owner: HostOwner): string {
  return sweepMachine({ StartAt: "Sweep", States: { Sweep: sweepAll(owner) } });
}

/** A sweep's states as a state machine takes them. */
export function sweepMachine(machine: {
  readonly StartAt: string;
  readonly States: States;
}): string {
  return JSON.stringify({
    Comment: "berth: ends what is left of one stack after its lease, on the second sight of it",
    TimeoutSeconds: 600,
    ...machine,
  });
}

/** All kinds, side by side. */
export function sweepAll(owner: HostOwner): State {
  const Branches = sweptKinds.map((kind) => branch(kind, owner));
  return { Type: "Parallel", Branches, End: true };
}

/** IAM's name of an SDK integration: `ec2:terminateInstances` is `ec2:TerminateInstances`. */
function iamAction(call: string): string {
  const action = call.replace(/:(.)/, (_match, first: string) => `:${first.toUpperCase()}`);
  return action.replace("resourcegroupstaggingapi:", "tag:");
}

/** EC2's own list of tags, which lags behind nothing. */
export const listTags = "ec2:describeTags";

const ec2Resource = "arn:aws:ec2:*:*:*/*";

/** May look, mark and end what carries the deployment's tags and is not protected; nothing else. */
export function sweepPolicy({ stack, owner, runId }: HostOwner): string {
  const own = {
    [`aws:ResourceTag/${stackTag}`]: stack,
    [`aws:ResourceTag/${ownerTag}`]: owner,
    [`aws:ResourceTag/${runTag}`]: runId,
    [`aws:ResourceTag/${protectTag}`]: "false",
  };
  const Effect = "Allow";
  const finds = [listTags, ...sweptKinds.map(({ find }) => find)];
  const look = { Sid: "Look", Effect, Action: finds.map(iamAction) };
  const mark = {
    Sid: "Mark",
    Effect,
    Action: ["ec2:CreateTags", "sagemaker:AddTags"],
    Resource: [ec2Resource, ...sweptKinds.flatMap(({ resource }) => resource ?? [])],
    Condition: { StringEquals: own, "ForAllValues:StringEquals": { "aws:TagKeys": [sweepTag] } },
  };
  const ends = sweptKinds.map(({ kind, end, resource = ec2Resource }) => ({
    Sid: `End${kind.replaceAll("-", "")}`,
    Effect,
    Action: iamAction(end),
    Resource: resource,
    Condition: { StringEquals: own },
  }));
  return JSON.stringify({
    Version: "2012-10-17",
    // Listings take no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    Statement: [{ ...look, Resource: "*" }, mark, ...ends],
  });
}
