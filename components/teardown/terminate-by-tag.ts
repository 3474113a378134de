import { ownerTag, protectTag, runTag, stackTag } from "../identity.ts";

/** Whose hosts end. Two people may name their stacks alike in one account, and one person may do so in two projects. */
export interface HostOwner {
  readonly stack: string;
  readonly owner: string;
  /** Of the deployment's lease. */
  readonly runId: string;
}

/** Instances in these states cost money, or may again. */
const liveStates = ["pending", "running", "stopping", "stopped"];

/** Throttling and AWS's own faults pass; ten tries with this pace take 90 minutes. */
const patient = [
  { ErrorEquals: ["States.ALL"], IntervalSeconds: 5, MaxAttempts: 10, BackoffRate: 2 },
];

/**
 * The state machine's definition in Amazon States Language: find by tag, terminate, wait, look again, until none is left.
 *
 * The choice looks at the answer itself, since a path that matches nothing is an error in some engines.
 */
export function terminateByTag({ stack, owner, runId }: HostOwner): string {
  return JSON.stringify({
    Comment: "berth: terminates every instance of one stack, then looks again until none is left",
    StartAt: "FindHosts",
    TimeoutSeconds: 6 * 3600,
    States: {
      FindHosts: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:ec2:describeInstances",
        Parameters: {
          Filters: [
            { Name: `tag:${stackTag}`, Values: [stack] },
            { Name: `tag:${ownerTag}`, Values: [owner] },
            { Name: `tag:${runTag}`, Values: [runId] },
            { Name: `tag:${protectTag}`, Values: ["false"] },
            { Name: "instance-state-name", Values: liveStates },
          ],
        },
        Retry: patient,
        Next: "AnyLeft",
      },
      AnyLeft: {
        Type: "Choice",
        Choices: [{ Variable: "$.Reservations[0]", IsPresent: true, Next: "EndHosts" }],
        Default: "NothingLeft",
      },
      EndHosts: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:ec2:terminateInstances",
        Parameters: { "InstanceIds.$": "$.Reservations[*].Instances[*].InstanceId" },
        Retry: patient,
        Next: "Settle",
      },
      Settle: { Type: "Wait", Seconds: 15, Next: "FindHosts" },
      NothingLeft: { Type: "Succeed" },
    },
  });
}

/** May look at instances, and terminate those that carry the deployment's tags; nothing else. */
export function terminatePolicy({ stack, owner, runId }: HostOwner): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      // It takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
      { Sid: "Look", Effect: "Allow", Action: "ec2:DescribeInstances", Resource: "*" },
      {
        Sid: "EndOwnHosts",
        Effect: "Allow",
        Action: "ec2:TerminateInstances",
        Resource: "arn:aws:ec2:*:*:instance/*",
        Condition: {
          StringEquals: {
            [`aws:ResourceTag/${stackTag}`]: stack,
            [`aws:ResourceTag/${ownerTag}`]: owner,
            [`aws:ResourceTag/${runTag}`]: runId,
            [`aws:ResourceTag/${protectTag}`]: "false",
          },
        },
      },
    ],
  });
}

/** EventBridge Scheduler's one-time expression, which has no zone of its own. */
export function atExpression(timestamp: string): string {
  return `at(${timestamp.slice(0, 19)})`;
}
