import type { ApiRequest } from "../proxy/api-request.ts";

/** What CreateTrainingJob was asked, as far as the emulation reads it. */
export interface TrainingRequest {
  readonly TrainingJobName: string;
  readonly RoleArn: string;
  readonly AlgorithmSpecification: {
    readonly TrainingImage?: string;
    readonly ContainerEntrypoint?: readonly string[];
    readonly ContainerArguments?: readonly string[];
  };
  readonly Environment?: Readonly<Record<string, string>>;
  readonly InputDataConfig?: readonly {
    readonly ChannelName: string;
    readonly DataSource: {
      readonly S3DataSource?: { readonly S3Uri: string };
      readonly FileSystemDataSource?: {
        readonly FileSystemId: string;
        readonly DirectoryPath: string;
        readonly FileSystemAccessMode: "ro" | "rw";
      };
    };
  }[];
  readonly OutputDataConfig: { readonly S3OutputPath: string };
  readonly ResourceConfig: {
    readonly InstanceType: string;
    readonly InstanceCount?: number;
    readonly KeepAlivePeriodInSeconds?: number;
    readonly VolumeKmsKeyId?: string;
  };
  readonly StoppingCondition: {
    readonly MaxRuntimeInSeconds?: number;
    readonly MaxWaitTimeInSeconds?: number;
  };
  readonly VpcConfig?: object;
  readonly EnableManagedSpotTraining?: boolean;
  readonly CheckpointConfig?: object;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

/** One step of a job's way; the last one has no end. */
interface Transition {
  readonly status: string;
  readonly message: string;
  readonly start: Date;
  end?: Date;
}

/** A training job, and where it is. Times are the cloud's. */
export interface TrainingJob {
  readonly region: string;
  readonly name: string;
  request: TrainingRequest;
  readonly created: Date;
  readonly tags: Map<string, string>;
  readonly transitions: Transition[];
  status: "InProgress" | "Stopping" | "Completed" | "Failed" | "Stopped";
  /** When its containers first ran. */
  started?: Date;
  ended?: Date;
  failure?: string;
  /** Seconds that its instances were up. */
  trainedSeconds: number;
  artifacts?: string;
  /** Instances that are kept after the end, until when, and which job took them. */
  warm?: { until: Date; status: "Available" | "Reused" | "Terminated"; reusedBy?: string };
  readonly abort: AbortController;
  work?: Promise<void>;
}

/** The ARN of a job in the emulated account. */
export function trainingArn(region: string, name: string): string {
  return `arn:aws:sagemaker:${region}:123456789012:training-job/${name}`;
}

/** Whether nothing more happens to a job. */
export function isOver({ status }: TrainingJob): boolean {
  return status !== "InProgress" && status !== "Stopping";
}

/** Takes a job one step further. */
export function moveOn(job: TrainingJob, now: Date, status: string, message: string): void {
  const last = job.transitions.at(-1);
  if (last !== undefined) last.end = now;
  job.transitions.push({ status, message, start: now });
}

function seconds(time: Date): number {
  return time.getTime() / 1000;
}

function warmPool({ warm, status, request }: TrainingJob): object {
  if (warm !== undefined) {
    const reused = warm.reusedBy === undefined ? {} : { ReusedByJob: warm.reusedBy };
    return { WarmPoolStatus: { Status: warm.status, ...reused } };
  }
  const keeps = (request.ResourceConfig.KeepAlivePeriodInSeconds ?? 0) > 0;
  return keeps && status === "InProgress" ? { WarmPoolStatus: { Status: "InUse" } } : {};
}

function summary(job: TrainingJob) {
  const { region, name, created, ended, status } = job;
  const last = job.transitions.at(-1);
  return {
    TrainingJobName: name,
    TrainingJobArn: trainingArn(region, name),
    CreationTime: seconds(created),
    LastModifiedTime: seconds(last?.start ?? created),
    ...(ended === undefined ? {} : { TrainingEndTime: seconds(ended) }),
    TrainingJobStatus: status,
    SecondaryStatus: last?.status,
    ...warmPool(job),
  };
}

/** What DescribeTrainingJob says. */
export function described(job: TrainingJob): object {
  const { request, started, failure, trainedSeconds, artifacts, transitions } = job;
  return {
    ...request,
    // They are asked for by ListTags.
    Tags: undefined,
    ...summary(job),
    ...(started === undefined ? {} : { TrainingStartTime: seconds(started) }),
    ...(failure === undefined ? {} : { FailureReason: failure }),
    ...(artifacts === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: artifacts } }),
    TrainingTimeInSeconds: Math.round(trainedSeconds),
    // What spot saves differs by the hour; here it is what AWS says that it may be.
    BillableTimeInSeconds: Math.round(
      trainedSeconds * (request.EnableManagedSpotTraining === true ? 0.3 : 1),
    ),
    SecondaryStatusTransitions: transitions.map(({ status, message, start, end }) => ({
      Status: status,
      StatusMessage: message,
      StartTime: seconds(start),
      ...(end === undefined ? {} : { EndTime: seconds(end) }),
    })),
  };
}

/** What ListTrainingJobs says, the newest first. */
export function listed(jobs: Iterable<TrainingJob>, call: ApiRequest): object {
  const { NameContains = "", StatusEquals } = call.parameters as {
    NameContains?: string;
    StatusEquals?: string;
  };
  const wanted = [...jobs].filter(
    ({ region, name, status }) =>
      region === call.region &&
      name.includes(NameContains) &&
      (StatusEquals === undefined || StatusEquals === status),
  );
  return {
    TrainingJobSummaries: wanted
      .toSorted((a, b) => b.created.getTime() - a.created.getTime())
      .map(summary),
  };
}
