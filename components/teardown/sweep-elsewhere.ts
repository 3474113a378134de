import { runTag } from "../identity.ts";
import { listTags, patient, sweepAll, sweepMachine, task, type State } from "./sweep-by-tag.ts";
import { sweptKinds } from "./swept-kinds.ts";
import type { HostOwner } from "./terminate-by-tag.ts";

/** Whether anything at all is there; no answer is taken for a yes. */
interface First {
  readonly name: string;
  readonly call: string;
  readonly parameters: object;
  /** Where the answer has what was found. */
  readonly found: string;
  /** What comes after nothing. */
  readonly otherwise: string;
}

function first({ name, call, parameters, found, otherwise }: First): Record<string, State> {
  return {
    [name]: {
      Type: "Task",
      Resource: task(call),
      Parameters: parameters,
      Retry: patient,
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failed", Next: "Sweep" }],
      ResultPath: "$.answer",
      Next: `${name}Any`,
    },
    [`${name}Any`]: {
      Type: "Choice",
      Choices: [{ Variable: `$.answer.${found}[0]`, IsPresent: true, Next: "Sweep" }],
      Default: otherwise,
    },
  };
}

/** Types that the resource tag index is asked for. */
const indexedTypes = sweptKinds.flatMap(({ also = {} }) => also["ResourceTypeFilters"] ?? []);

/**
 * A sweep of a region that is not the stack's own, in Amazon States Language. It asks first whether anything there carries the
 * run's tag, and is over after five transitions when nothing does; else it is the sweep of {@link sweepByTag}, decision by
 * decision. Input: `{"time": "<RFC 3339>"}`.
 */
export function sweepElsewhere(owner: HostOwner): string {
  const { runId } = owner;
  const Filters = [
    { Name: "key", Values: [runTag] },
    { Name: "value", Values: [runId] },
  ];
  return sweepMachine({
    StartAt: "Ec2",
    States: {
      ...first({
        name: "Ec2",
        call: listTags,
        parameters: { Filters },
        found: "Tags",
        otherwise: "Indexed",
      }),
      ...first({
        name: "Indexed",
        call: "resourcegroupstaggingapi:getResources",
        parameters: {
          TagFilters: [{ Key: runTag, Values: [runId] }],
          ResourceTypeFilters: indexedTypes,
        },
        found: "ResourceTagMappingList",
        otherwise: "Nothing",
      }),
      Nothing: { Type: "Pass", Result: [], End: true },
      Sweep: sweepAll(owner),
    },
  });
}
