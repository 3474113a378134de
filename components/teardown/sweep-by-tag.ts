import { ownerTag, protectTag, runTag, stackTag, sweepTag } from "../identity.ts";
import { sweptKinds, type SweptKind } from "./swept-kinds.ts";
import type { HostOwner } from "./terminate-by-tag.ts";

type State = Readonly<Record<string, unknown>>;
type States = Readonly<Record<string, State>>;

const task = (call: string) => `arn:aws:states:::aws-sdk:${call}`;

/** Throttling passes; what does not is told in the execution's output, and the next firing tries again. */
const patient = [
  { ErrorEquals: ["States.TaskFailed"], IntervalSeconds: 2, MaxAttempts: 3, BackoffRate: 2 },
];

function ownFilters(
  { stack, owner, runId }: HostOwner,
  more: Readonly<Record<string, readonly string[]>>,
) {
  const wanted = {
    [`tag:${stackTag}`]: [stack],
    [`tag:${ownerTag}`]: [owner],
    [`tag:${runTag}`]: [runId],
    ...more,
  };
  return Object.entries(wanted).map(([Name, Values]) => ({ Name, Values }));
}

/** One question of a branch: what is found goes to `then`, and nothing, or no answer, goes on at `next`. */
interface Look {
  readonly name: string;
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly then: string;
  readonly next: string;
}

function look({ find, also, filters, list }: SweptKind, owner: HostOwner, ask: Look): States {
  const answered = `${ask.name}Any`;
  return {
    [ask.name]: {
      Type: "Task",
      Resource: task(find),
      Parameters: { ...also, Filters: ownFilters(owner, { ...filters, ...ask.filters }) },
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
  const one: State = {
    Type: "Task",
    Resource: task(kind.end),
    Parameters: { [`${kind.ids.one}.$`]: `$.${kind.id}` },
    Retry: patient,
    // One that cannot go yet must not keep the others.
    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Kept" }],
    End: true,
  };
  return {
    Type: "Map",
    ItemsPath: `$.answer.${kind.list}`,
    MaxConcurrency: 1,
    Iterator: { StartAt: "End", States: { End: one, Kept: { Type: "Pass", End: true } } },
    Catch: caught,
    ResultPath: "$.answered",
    Next: next,
  };
}

/** Find, spare what is protected, end what an earlier firing marked, mark the rest. */
function branch(kind: SweptKind, owner: HostOwner): State {
  const unprotected = { [`tag:${protectTag}`]: ["false"] };
  const marked = { ...unprotected, "tag-key": [sweepTag] };
  const states: States = {
    Begin: {
      Type: "Pass",
      Parameters: { "time.$": "$.time", spared: {}, ended: {}, marked: {}, failed: {} },
      Next: "Protected",
    },
    ...look(kind, owner, {
      name: "Protected",
      filters: { [`tag:${protectTag}`]: ["true"] },
      then: "Spare",
      next: "Marked",
    }),
    Spare: note(kind, "spared", `${protectTag} is true`, "Marked"),
    ...look(kind, owner, { name: "Marked", filters: marked, then: "SayEnded", next: "Unmarked" }),
    SayEnded: note(kind, "ended", "the lease was over before, and still is", "End"),
    End: ending(kind, "Unmarked"),
    ...look(kind, owner, {
      name: "Unmarked",
      filters: unprotected,
      then: "Mark",
      next: "Report",
    }),
    Mark: {
      Type: "Task",
      Resource: task("ec2:createTags"),
      Parameters: {
        "Resources.$": `$.answer.${kind.list}[*].${kind.id}`,
        Tags: [{ Key: sweepTag, "Value.$": "$.time" }],
      },
      Retry: patient,
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failed", Next: "Report" }],
      ResultPath: "$.answered",
      Next: "SayMarked",
    },
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
  return JSON.stringify({
    Comment: "berth: ends what is left of one stack after its lease, on the second sight of it",
    StartAt: "Sweep",
    TimeoutSeconds: 600,
    States: {
      Sweep: {
        Type: "Parallel",
        Branches: sweptKinds.map((kind) => branch(kind, owner)),
        End: true,
      },
    },
  });
}

/** IAM's name of an SDK integration: `ec2:terminateInstances` is `ec2:TerminateInstances`. */
function iamAction(call: string): string {
  return call.replace(/:(.)/, (_match, first: string) => `:${first.toUpperCase()}`);
}

/** May look, mark and end what carries the deployment's tags and is not protected; nothing else. */
export function sweepPolicy({ stack, owner, runId }: HostOwner): string {
  const own = {
    [`aws:ResourceTag/${stackTag}`]: stack,
    [`aws:ResourceTag/${ownerTag}`]: owner,
    [`aws:ResourceTag/${runTag}`]: runId,
    [`aws:ResourceTag/${protectTag}`]: "false",
  };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      // They take no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
      {
        Sid: "Look",
        Effect: "Allow",
        Action: sweptKinds.map(({ find }) => iamAction(find)),
        Resource: "*",
      },
      {
        Sid: "Mark",
        Effect: "Allow",
        Action: "ec2:CreateTags",
        Resource: "arn:aws:ec2:*:*:*/*",
        Condition: {
          StringEquals: own,
          "ForAllValues:StringEquals": { "aws:TagKeys": [sweepTag] },
        },
      },
      {
        Sid: "EndOwn",
        Effect: "Allow",
        Action: sweptKinds.map(({ end }) => iamAction(end)),
        Resource: "arn:aws:ec2:*:*:*/*",
        Condition: { StringEquals: own },
      },
    ],
  });
}
