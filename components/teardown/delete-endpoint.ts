import { protectTag } from "../identity.ts";

/** Throttling passes, and so does an endpoint's busy moment; ten tries with this pace take 90 minutes. */
const patient = [
  { ErrorEquals: ["States.ALL"], IntervalSeconds: 5, MaxAttempts: 10, BackoffRate: 2 },
];

/** What of an endpoint is deleted. */
export interface EndedEndpoint {
  readonly endpointName: string;
  /** Names of the components that bring its models; each begins with the endpoint's. */
  readonly components: readonly string[];
  /** The notebook instance beside it. @default none */
  readonly notebookName?: string | undefined;
}

/**
 * A notebook instance is stopped first, which ends its cost, and deleted when the endpoint is gone; SageMaker deletes one that
 * has stopped alone, and each round tries both again.
 */
function endNotebook(NotebookInstanceName: string, next: string): object {
  const task = (action: string, Next: string) => ({
    Type: "Task",
    Resource: `arn:aws:states:::aws-sdk:sagemaker:${action}`,
    Parameters: { NotebookInstanceName },
    ResultPath: null,
    Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next }],
    Next,
  });
  return {
    StopNotebook: task("stopNotebookInstance", next),
    DeleteNotebook: task("deleteNotebookInstance", "FindNotebook"),
    FindNotebook: {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:sagemaker:listNotebookInstances",
      Parameters: { NameContains: NotebookInstanceName },
      Retry: patient,
      Next: "AnyNotebookLeft",
    },
    AnyNotebookLeft: {
      Type: "Choice",
      Choices: [{ Variable: "$.NotebookInstances[0]", IsPresent: true, Next: "Settle" }],
      Default: "NothingLeft",
    },
  };
}

/** The state in which the component of that index is deleted; the last one leads to the endpoint. */
function endState(components: readonly string[], index: number): string {
  if (index >= components.length) return "FindEndpoint";
  return index === 0 ? "EndComponent" : `EndComponent${index + 1}`;
}

/**
 * Components are deleted before their endpoint, which would leave them behind; where SageMaker refuses that for now, since
 * copies start, the endpoint goes first, which is what costs, and the components after it.
 */
function endComponents({ endpointName, components }: EndedEndpoint, last: string): object {
  const ends = components.map((InferenceComponentName, index) => {
    const Next = endState(components, index + 1);
    const state = {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:sagemaker:deleteInferenceComponent",
      Parameters: { InferenceComponentName },
      ResultPath: null,
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next }],
      Next,
    };
    return [endState(components, index), state] as const;
  });
  return {
    ...Object.fromEntries(ends),
    FindComponent: {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:sagemaker:listInferenceComponents",
      Parameters: { NameContains: endpointName },
      Retry: patient,
      Next: "AnyComponentLeft",
    },
    AnyComponentLeft: {
      Type: "Choice",
      Choices: [{ Variable: "$.InferenceComponents[0]", IsPresent: true, Next: "Settle" }],
      Default: last,
    },
  };
}

/**
 * The state machine's definition in Amazon States Language: look for the endpoint, delete it, wait, look again, until it is
 * gone. One that is being made, changed or has failed is deleted like one that serves.
 *
 * It lists rather than describes, since the endpoint that is not there is then an empty list and no error.
 */
export function deleteEndpoint(ended: EndedEndpoint): string {
  const { endpointName, components, notebookName } = ended;
  const hasComponent = components.length > 0;
  const first = endState(components, 0);
  const [start, last] =
    notebookName === undefined ? [first, "NothingLeft"] : ["StopNotebook", "DeleteNotebook"];
  return JSON.stringify({
    Comment: "berth: deletes the endpoint of one stack, then looks again until it is gone",
    StartAt: start,
    TimeoutSeconds: 6 * 3600,
    States: {
      ...(notebookName === undefined ? {} : endNotebook(notebookName, first)),
      ...(hasComponent ? endComponents(ended, last) : {}),
      FindEndpoint: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:sagemaker:listEndpoints",
        Parameters: { NameContains: endpointName },
        Retry: patient,
        Next: "AnyLeft",
      },
      AnyLeft: {
        Type: "Choice",
        Choices: [
          {
            And: [
              { Variable: "$.Endpoints[0]", IsPresent: true },
              { Variable: "$.Endpoints[0].EndpointStatus", StringEquals: "Deleting" },
            ],
            Next: "Settle",
          },
          { Variable: "$.Endpoints[0]", IsPresent: true, Next: "EndEndpoint" },
        ],
        Default: hasComponent ? "FindComponent" : last,
      },
      EndEndpoint: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:sagemaker:deleteEndpoint",
        Parameters: { EndpointName: endpointName },
        ResultPath: null,
        // With a component, what is refused may wait for that, which the next round deletes.
        ...(hasComponent
          ? { Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: "Settle" }] }
          : { Retry: patient }),
        Next: "Settle",
      },
      Settle: { Type: "Wait", Seconds: 15, Next: start },
      NothingLeft: { Type: "Succeed" },
    },
  });
}

function endOwnComponents(names: readonly string[]): object[] {
  const Effect = "Allow";
  const arns = names.map((name) => `arn:aws:sagemaker:*:*:inference-component/${name}`);
  return [
    { Sid: "LookForIt", Effect, Action: "sagemaker:ListInferenceComponents", Resource: "*" },
    {
      Sid: "EndOwnComponent",
      Effect,
      Action: "sagemaker:DeleteInferenceComponent",
      Resource: arns.length === 1 ? arns[0] : arns,
      Condition: { StringEquals: { [`aws:ResourceTag/${protectTag}`]: "false" } },
    },
  ];
}

function endOwnNotebook(name: string): object[] {
  const Effect = "Allow";
  return [
    { Sid: "LookForNotebook", Effect, Action: "sagemaker:ListNotebookInstances", Resource: "*" },
    {
      Sid: "EndOwnNotebook",
      Effect,
      Action: ["sagemaker:StopNotebookInstance", "sagemaker:DeleteNotebookInstance"],
      Resource: `arn:aws:sagemaker:*:*:notebook-instance/${name}`,
      Condition: { StringEquals: { [`aws:ResourceTag/${protectTag}`]: "false" } },
    },
  ];
}

/**
 * May list endpoints, and delete that one. An endpoint that scales has its scaling deregistered with it
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html).
 */
export function deleteEndpointPolicy({
  endpointName,
  components,
  notebookName,
}: EndedEndpoint): string {
  const Effect = "Allow";
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      // Both take no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
      { Sid: "Look", Effect, Action: "sagemaker:ListEndpoints", Resource: "*" },
      ...(components.length > 0 ? endOwnComponents(components) : []),
      ...(notebookName === undefined ? [] : endOwnNotebook(notebookName)),
      {
        Sid: "EndOwnEndpoint",
        Effect,
        Action: "sagemaker:DeleteEndpoint",
        Resource: `arn:aws:sagemaker:*:*:endpoint/${endpointName}`,
        Condition: { StringEquals: { [`aws:ResourceTag/${protectTag}`]: "false" } },
      },
      {
        Sid: "EndItsScaling",
        Effect,
        Action: "application-autoscaling:DeregisterScalableTarget",
        Resource: "*",
        Condition: {
          StringEquals: { "application-autoscaling:service-namespace": "sagemaker" },
        },
      },
    ],
  });
}
