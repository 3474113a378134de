import { protectTag } from "../identity.ts";

/** Throttling passes, and so does an endpoint's busy moment; ten tries with this pace take 90 minutes. */
const patient = [
  { ErrorEquals: ["States.ALL"], IntervalSeconds: 5, MaxAttempts: 10, BackoffRate: 2 },
];

/** What of an endpoint is deleted. */
export interface EndedEndpoint {
  readonly endpointName: string;
  /** Whether a component of the same name brings its model. */
  readonly hasComponent: boolean;
}

/**
 * A component is deleted before its endpoint, which would leave it behind; where SageMaker refuses that for now, since copies
 * start, the endpoint goes first, which is what costs, and the component after it.
 */
function endComponent(InferenceComponentName: string): object {
  return {
    EndComponent: {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:sagemaker:deleteInferenceComponent",
      Parameters: { InferenceComponentName },
      ResultPath: null,
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: "FindEndpoint" }],
      Next: "FindEndpoint",
    },
    FindComponent: {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:sagemaker:listInferenceComponents",
      Parameters: { NameContains: InferenceComponentName },
      Retry: patient,
      Next: "AnyComponentLeft",
    },
    AnyComponentLeft: {
      Type: "Choice",
      Choices: [{ Variable: "$.InferenceComponents[0]", IsPresent: true, Next: "Settle" }],
      Default: "NothingLeft",
    },
  };
}

/**
 * The state machine's definition in Amazon States Language: look for the endpoint, delete it, wait, look again, until it is
 * gone. One that is being made, changed or has failed is deleted like one that serves.
 *
 * It lists rather than describes, since the endpoint that is not there is then an empty list and no error.
 */
export function deleteEndpoint({ endpointName, hasComponent }: EndedEndpoint): string {
  const start = hasComponent ? "EndComponent" : "FindEndpoint";
  return JSON.stringify({
    Comment: "berth: deletes the endpoint of one stack, then looks again until it is gone",
    StartAt: start,
    TimeoutSeconds: 6 * 3600,
    States: {
      ...(hasComponent ? endComponent(endpointName) : {}),
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
        Default: hasComponent ? "FindComponent" : "NothingLeft",
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

function endOwnComponent(name: string): object[] {
  const Effect = "Allow";
  return [
    { Sid: "LookForIt", Effect, Action: "sagemaker:ListInferenceComponents", Resource: "*" },
    {
      Sid: "EndOwnComponent",
      Effect,
      Action: "sagemaker:DeleteInferenceComponent",
      Resource: `arn:aws:sagemaker:*:*:inference-component/${name}`,
      Condition: { StringEquals: { [`aws:ResourceTag/${protectTag}`]: "false" } },
    },
  ];
}

/**
 * May list endpoints, and delete that one. An endpoint that scales has its scaling deregistered with it
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html).
 */
export function deleteEndpointPolicy({ endpointName, hasComponent }: EndedEndpoint): string {
  const Effect = "Allow";
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      // Both take no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
      { Sid: "Look", Effect, Action: "sagemaker:ListEndpoints", Resource: "*" },
      ...(hasComponent ? endOwnComponent(endpointName) : []),
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
