import {
  ListTagsCommand,
  paginateListEndpointConfigs,
  paginateListEndpoints,
  paginateListInferenceComponents,
  paginateListModels,
  paginateListTrainingJobs,
  paginateListNotebookInstanceLifecycleConfigs,
  paginateListNotebookInstances,
  SageMakerClient,
  type Tag,
} from "@aws-sdk/client-sagemaker";
import { isTagged, type AccountScope, type Question, type Remnant } from "../account-scope.ts";

/** A thing that a list of SageMaker names. */
interface Listed {
  readonly name: string;
  readonly arn: string;
}

type Lister = (client: SageMakerClient, NameContains: string) => AsyncIterable<readonly Listed[]>;

async function* endpoints(client: SageMakerClient, NameContains: string) {
  for await (const { Endpoints = [] } of paginateListEndpoints({ client }, { NameContains })) {
    yield Endpoints.map((each) => ({
      name: each.EndpointName ?? "",
      arn: each.EndpointArn ?? "",
    }));
  }
}

async function* configurations(client: SageMakerClient, NameContains: string) {
  const pages = paginateListEndpointConfigs({ client }, { NameContains });
  for await (const { EndpointConfigs = [] } of pages) {
    yield EndpointConfigs.map((each) => ({
      name: each.EndpointConfigName ?? "",
      arn: each.EndpointConfigArn ?? "",
    }));
  }
}

async function* components(client: SageMakerClient, NameContains: string) {
  const pages = paginateListInferenceComponents({ client }, { NameContains });
  for await (const { InferenceComponents = [] } of pages) {
    yield InferenceComponents.map((each) => ({
      name: each.InferenceComponentName ?? "",
      arn: each.InferenceComponentArn ?? "",
    }));
  }
}

async function* models(client: SageMakerClient, NameContains: string) {
  for await (const { Models = [] } of paginateListModels({ client }, { NameContains })) {
    yield Models.map((each) => ({ name: each.ModelName ?? "", arn: each.ModelArn ?? "" }));
  }
}

/** Those that have not ended; the record of one that has stays for good, and costs nothing. */
async function* trainingJobs(client: SageMakerClient, NameContains: string) {
  for (const StatusEquals of ["InProgress", "Stopping"] as const) {
    const pages = paginateListTrainingJobs({ client }, { NameContains, StatusEquals });
    for await (const { TrainingJobSummaries = [] } of pages) {
      yield TrainingJobSummaries.map((each) => ({
        name: each.TrainingJobName ?? "",
        arn: each.TrainingJobArn ?? "",
      }));
    }
  }
}

async function* notebooks(client: SageMakerClient, NameContains: string) {
  const pages = paginateListNotebookInstances({ client }, { NameContains });
  for await (const { NotebookInstances = [] } of pages) {
    yield NotebookInstances.map((each) => ({
      name: each.NotebookInstanceName ?? "",
      arn: each.NotebookInstanceArn ?? "",
    }));
  }
}

async function* lifecycles(client: SageMakerClient, NameContains: string) {
  const pages = paginateListNotebookInstanceLifecycleConfigs({ client }, { NameContains });
  for await (const { NotebookInstanceLifecycleConfigs = [] } of pages) {
    yield NotebookInstanceLifecycleConfigs.map((each) => ({
      name: each.NotebookInstanceLifecycleConfigName ?? "",
      arn: each.NotebookInstanceLifecycleConfigArn ?? "",
    }));
  }
}

/** The tags of a thing; undefined when it has gone since it was listed. */
async function tagsOf(client: SageMakerClient, ResourceArn: string): Promise<Tag[] | undefined> {
  try {
    const { Tags = [] } = await client.send(new ListTagsCommand({ ResourceArn }));
    return Tags;
  } catch (error) {
    if (error instanceof Error && /could not find/i.test(error.message)) return undefined;
    throw error;
  }
}

/** What carries the stack's name is asked for its tags, which say whose it is. */
function question(name: string, kind: string, list: Lister): Question {
  const ask = async (scope: AccountScope): Promise<readonly Remnant[]> => {
    const client = new SageMakerClient(scope.client);
    const found: Remnant[] = [];
    try {
      for await (const page of list(client, `${scope.stack}-`)) {
        for (const { name: id, arn } of page) {
          const tags = await tagsOf(client, arn);
          if (tags !== undefined && isTagged(tags, scope)) {
            found.push({ service: "sagemaker", kind, id });
          }
        }
      }
      return found;
    } finally {
      client.destroy();
    }
  };
  return { name, ask };
}

/** Endpoints, training jobs and notebooks, which cost by the second, and what they leave. */
export const sagemakerQuestions: readonly Question[] = [
  question("endpoints", "endpoint", endpoints),
  question("inference components", "inference-component", components),
  question("endpoint configurations", "endpoint-config", configurations),
  question("models", "model", models),
  question("training jobs", "training-job", trainingJobs),
  question("notebook instances", "notebook-instance", notebooks),
  question("lifecycle configurations", "notebook-instance-lifecycle-config", lifecycles),
];
