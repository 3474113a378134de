import { protectTag } from "../identity.ts";

/** Throttling passes, and so does a job's busy moment; ten tries with this pace take 90 minutes. */
const patient = [
  { ErrorEquals: ["States.ALL"], IntervalSeconds: 5, MaxAttempts: 10, BackoffRate: 2 },
];

/**
 * The state machine's definition in Amazon States Language: look for the job among those in progress, stop it, wait, look again,
 * until it is none of them. One that ended by its own limit is not there any more.
 */
export function stopTraining(jobName: string): string {
  return JSON.stringify({
    Comment: "berth: stops the training job of one stack, then looks again until it has ended",
    StartAt: "FindJob",
    TimeoutSeconds: 6 * 3600,
    States: {
      FindJob: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:sagemaker:listTrainingJobs",
        Parameters: { NameContains: jobName, StatusEquals: "InProgress" },
        Retry: patient,
        Next: "AnyLeft",
      },
      AnyLeft: {
        Type: "Choice",
        Choices: [{ Variable: "$.TrainingJobSummaries[0]", IsPresent: true, Next: "StopJob" }],
        Default: "NothingLeft",
      },
      StopJob: {
        Type: "Task",
        Resource: "arn:aws:states:::aws-sdk:sagemaker:stopTrainingJob",
        Parameters: { TrainingJobName: jobName },
        ResultPath: null,
        // One that ended meanwhile refuses, and is not found any more.
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: "Settle" }],
        Next: "Settle",
      },
      Settle: { Type: "Wait", Seconds: 15, Next: "FindJob" },
      NothingLeft: { Type: "Succeed" },
    },
  });
}

/** May list training jobs, and stop that one. */
export function stopTrainingPolicy(jobName: string): string {
  const Effect = "Allow";
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      // It takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
      { Sid: "Look", Effect, Action: "sagemaker:ListTrainingJobs", Resource: "*" },
      {
        Sid: "StopOwnJob",
        Effect,
        Action: "sagemaker:StopTrainingJob",
        Resource: `arn:aws:sagemaker:*:*:training-job/${jobName}`,
        Condition: { StringEquals: { [`aws:ResourceTag/${protectTag}`]: "false" } },
      },
    ],
  });
}
