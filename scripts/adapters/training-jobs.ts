import {
  CloudWatchLogsClient,
  paginateFilterLogEvents,
  type FilteredLogEvent,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeTrainingJobCommand,
  ListTagsCommand,
  paginateListTrainingJobs,
  SageMakerClient,
  StopTrainingJobCommand,
  type DescribeTrainingJobCommandOutput,
} from "@aws-sdk/client-sagemaker";
import { stackTag } from "../../components/identity.ts";
import type { AccountScope } from "./account-scope.ts";

/** The group that all training jobs of a region write to, each in streams that begin with its name. */
const logGroupName = "/aws/sagemaker/TrainingJobs";

/** A training job as SageMaker tells of it. */
export interface TrainingJobView {
  readonly name: string;
  /** InProgress, Completed, Failed, Stopping or Stopped. */
  readonly status: string;
  /** What it is doing, or how it ended. */
  readonly step: string;
  readonly failure: string | undefined;
  readonly instanceType: string;
  readonly instances: number;
  readonly spot: boolean;
  /** Seconds that its instances have run. */
  readonly ranSeconds: number;
  /** Seconds that are billed, fewer than those on spot. */
  readonly billedSeconds: number | undefined;
  /** What is kept after the end. */
  readonly warmPool: string | undefined;
}

function viewOf(job: DescribeTrainingJobCommandOutput): TrainingJobView {
  const { TrainingJobName: name = "", ResourceConfig = {}, TrainingStartTime: start } = job;
  const running = start === undefined ? 0 : (Date.now() - start.getTime()) / 1000;
  return {
    name,
    status: job.TrainingJobStatus ?? "?",
    step: job.SecondaryStatus ?? "?",
    failure: job.FailureReason,
    instanceType: ResourceConfig.InstanceType ?? "?",
    instances: ResourceConfig.InstanceCount ?? 1,
    spot: job.EnableManagedSpotTraining ?? false,
    ranSeconds: job.TrainingTimeInSeconds ?? Math.max(0, running),
    billedSeconds: job.BillableTimeInSeconds,
    warmPool: job.WarmPoolStatus?.Status,
  };
}

async function withClient<T>(
  scope: AccountScope,
  work: (client: SageMakerClient) => Promise<T>,
): Promise<T> {
  const client = new SageMakerClient({ ...scope.client, maxAttempts: 4 });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

/** A job by its name; undefined when there is none. */
export function findTrainingJob(
  scope: AccountScope,
  TrainingJobName: string,
): Promise<TrainingJobView | undefined> {
  return withClient(scope, async (client) => {
    try {
      return viewOf(await client.send(new DescribeTrainingJobCommand({ TrainingJobName })));
    } catch (error) {
      if (error instanceof Error && /not found/i.test(error.message)) return undefined;
      throw error;
    }
  });
}

/** Names of the stack's jobs that are in progress, by SageMaker and not by any state. */
export function runningTrainingJobs(scope: AccountScope): Promise<readonly string[]> {
  return withClient(scope, async (client) => {
    const found: string[] = [];
    const asked = { StatusEquals: "InProgress" as const, NameContains: `${scope.stack}-` };
    for await (const page of paginateListTrainingJobs({ client }, asked)) {
      for (const { TrainingJobName = "", TrainingJobArn } of page.TrainingJobSummaries ?? []) {
        const { Tags = [] } = await client.send(
          new ListTagsCommand({ ResourceArn: TrainingJobArn }),
        );
        const isOwn = Tags.some(({ Key, Value }) => Key === stackTag && Value === scope.stack);
        if (isOwn) found.push(TrainingJobName);
      }
    }
    return found;
  });
}

/** Asks a job to end, with two minutes for a last checkpoint. */
export function stopTrainingJob(scope: AccountScope, TrainingJobName: string): Promise<void> {
  return withClient(scope, async (client) => {
    await client.send(new StopTrainingJobCommand({ TrainingJobName }));
  });
}

/** The lines that a job's containers write, each once, oldest first. */
export class TrainingLog {
  readonly #scope: AccountScope;
  readonly #prefix: string;
  readonly #seen = new Set<string>();
  #since = 0;

  constructor(scope: AccountScope, jobName: string) {
    this.#scope = scope;
    this.#prefix = `${jobName}/`;
  }

  /** Lines that came since the last call; none when there is no log yet, or it may not be read. */
  async next(): Promise<readonly string[]> {
    const client = new CloudWatchLogsClient({ ...this.#scope.client, maxAttempts: 2 });
    const asked = { logGroupName, logStreamNamePrefix: this.#prefix, startTime: this.#since };
    const events: FilteredLogEvent[] = [];
    try {
      for await (const page of paginateFilterLogEvents({ client }, asked)) {
        events.push(...(page.events ?? []));
      }
    } catch {
      return [];
    } finally {
      client.destroy();
    }
    const own = events.filter(({ logStreamName = "" }) => logStreamName.startsWith(this.#prefix));
    const fresh = own.filter((event) => !this.#seen.has(this.#idOf(event)));
    for (const event of fresh) {
      this.#seen.add(this.#idOf(event));
      // Lines of several instances come late and out of order: the last minute is asked for again.
      this.#since = Math.max(this.#since, (event.timestamp ?? 0) - 60_000);
    }
    return fresh.map(({ message = "" }) => message.trimEnd());
  }

  #idOf({ eventId, timestamp, message }: FilteredLogEvent): string {
    return eventId ?? `${timestamp ?? 0} ${message ?? ""}`;
  }
}
