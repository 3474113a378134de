import * as sagemaker from "@aws-sdk/client-sagemaker";
import type { ClientSettings } from "./account-scope.ts";
import { one, type Asks } from "./named-thing.ts";

const inSageMaker = (settings: ClientSettings) => new sagemaker.SageMakerClient(settings);

function ofSageMaker<Answer>(
  kind: string,
  ask: (client: sagemaker.SageMakerClient, id: string) => Promise<Answer>,
  there?: (answer: Answer) => boolean,
): Asks {
  return one({
    service: "sagemaker",
    kind,
    client: inSageMaker,
    ask: (client, { id }) => ask(client, id),
    ...(there === undefined ? {} : { there }),
  });
}

/** Made by AWS's provider or by berth's own. */
const endpointConfig = ofSageMaker("endpoint-config", (client, EndpointConfigName) =>
  client.send(new sagemaker.DescribeEndpointConfigCommand({ EndpointConfigName })),
);

/** How the things of SageMaker that a state knows are asked for, by Pulumi's token of their type. */
export const sagemakerAsks: Readonly<Record<string, Asks>> = {
  "berth:index:InferenceComponent": ofSageMaker(
    "inference-component",
    (client, InferenceComponentName) =>
      client.send(new sagemaker.DescribeInferenceComponentCommand({ InferenceComponentName })),
  ),
  "berth:index:HostedEndpoint": ofSageMaker("endpoint", (client, EndpointName) =>
    client.send(new sagemaker.DescribeEndpointCommand({ EndpointName })),
  ),
  "berth:index:TrainingJob": ofSageMaker(
    "training-job",
    (client, TrainingJobName) =>
      client.send(new sagemaker.DescribeTrainingJobCommand({ TrainingJobName })),
    ({ TrainingJobStatus }) => /^(InProgress|Stopping)$/.test(TrainingJobStatus ?? ""),
  ),
  "aws:sagemaker/endpointConfiguration:EndpointConfiguration": endpointConfig,
  "berth:index:HostedConfiguration": endpointConfig,
  "aws:sagemaker/model:Model": ofSageMaker("model", (client, ModelName) =>
    client.send(new sagemaker.DescribeModelCommand({ ModelName })),
  ),
  "aws:sagemaker/notebookInstance:NotebookInstance": ofSageMaker(
    "notebook-instance",
    (client, NotebookInstanceName) =>
      client.send(new sagemaker.DescribeNotebookInstanceCommand({ NotebookInstanceName })),
  ),
  "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration":
    ofSageMaker("notebook-instance-lifecycle-config", (client, name) =>
      client.send(
        new sagemaker.DescribeNotebookInstanceLifecycleConfigCommand({
          NotebookInstanceLifecycleConfigName: name,
        }),
      ),
    ),
};
