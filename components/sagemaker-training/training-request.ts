import { parseFileSystem } from "./file-system.ts";
import { minutesBeforeEnd } from "./training-job-plan.ts";

/** What a training job is asked for with; the inputs of its resource. */
export interface TrainingJobInputs {
  readonly jobName: string;
  readonly roleArn: string;
  readonly image: string;
  readonly instanceType: string;
  readonly instances: number;
  readonly volumeGiB: number;
  readonly spot: boolean;
  readonly keepWarmMinutes: number;
  /** The job's folder and berth's tools in S3, `s3://bucket/prefix/`. */
  readonly sourceUri: string;
  /** Where its checkpoints and its result are kept, `s3://bucket/prefix/`. */
  readonly checkpointsUri: string;
  /** The base model's files in S3. @default fetched from Hugging Face */
  readonly baseUri?: string | undefined;
  /** Where the output of all instances lies, as {@link parseFileSystem} reads it. @default each has its own */
  readonly sharedStorage?: string | undefined;
  /** Its repository at Hugging Face. */
  readonly baseModel: string;
  readonly syncMinutes: number;
  /** RFC 3339. */
  readonly expiresAt: string;
  readonly subnetIds?: readonly string[] | undefined;
  readonly securityGroupIds?: readonly string[] | undefined;
  /** Key of what SageMaker writes to S3. @default that of the bucket */
  readonly kmsKeyArn?: string | undefined;
  /** Key of the volume; refused for types whose disk is their own NVMe. @default AWS's own */
  readonly volumeKmsKeyArn?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** Where SageMaker puts a channel (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html). */
const channelFolder = "/opt/ml/input/data";

/** Time that a first instance takes to start, seconds: less is left for the training. */
const leastRunSeconds = 600;

function channel(name: string, uri: string) {
  return {
    ChannelName: name,
    DataSource: {
      S3DataSource: {
        S3DataType: "S3Prefix" as const,
        S3Uri: uri,
        S3DataDistributionType: "FullyReplicated" as const,
      },
    },
  };
}

/** A channel that is mounted, and written to. */
function mounted(name: string, place: string | undefined) {
  const found = place === undefined ? undefined : parseFileSystem(place);
  if (found === undefined) return [];
  const FileSystemDataSource = {
    FileSystemType: found.type,
    FileSystemId: found.id,
    DirectoryPath: found.path,
    FileSystemAccessMode: "rw" as const,
  };
  return [{ ChannelName: name, DataSource: { FileSystemDataSource } }];
}

/**
 * Seconds that a job which is asked for now may take, kept instances included; undefined when too few are left for it.
 *
 * @param now of the clock by which the lease ends
 */
export function runSeconds(
  { expiresAt, keepWarmMinutes }: Pick<TrainingJobInputs, "expiresAt" | "keepWarmMinutes">,
  now: Date,
): number | undefined {
  const left = Math.floor((Date.parse(expiresAt) - now.getTime()) / 1000) - keepWarmMinutes * 60;
  return left < leastRunSeconds ? undefined : left;
}

function environment(inputs: TrainingJobInputs): Record<string, string> {
  const endsAt = Math.floor(Date.parse(inputs.expiresAt) / 1000) - inputs.keepWarmMinutes * 60;
  return {
    CHECKPOINTS_URI: inputs.checkpointsUri,
    SYNC_MINUTES: String(inputs.syncMinutes),
    STOP_AT: String(endsAt - minutesBeforeEnd * 60),
    END_AT: String(endsAt),
    BASE_REPOSITORY: inputs.baseModel,
    // There is none in a container of SageMaker, and each question for it would wait.
    AWS_EC2_METADATA_DISABLED: "true",
    TQDM_DISABLE: "1",
  };
}

function placed({ subnetIds, securityGroupIds }: TrainingJobInputs) {
  if (subnetIds === undefined || securityGroupIds === undefined) return {};
  return { VpcConfig: { Subnets: [...subnetIds], SecurityGroupIds: [...securityGroupIds] } };
}

/**
 * The call that makes a training job (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html).
 * Its checkpoints are not SageMaker's own: those are copied file by file in no order, so that what a kill leaves in S3 may have
 * its mark and not its weights.
 *
 * @param seconds of {@link runSeconds}
 */
export function trainingRequest(inputs: TrainingJobInputs, seconds: number) {
  const { spot, keepWarmMinutes, kmsKeyArn, volumeKmsKeyArn, baseUri } = inputs;
  const key = kmsKeyArn === undefined ? {} : { KmsKeyId: kmsKeyArn };
  return {
    TrainingJobName: inputs.jobName,
    RoleArn: inputs.roleArn,
    AlgorithmSpecification: {
      TrainingImage: inputs.image,
      TrainingInputMode: "File" as const,
      ContainerEntrypoint: ["bash", `${channelFolder}/job/tools/sagemaker-job.sh`],
    },
    Environment: environment(inputs),
    InputDataConfig: [
      channel("job", inputs.sourceUri),
      ...(baseUri === undefined ? [] : [channel("base", baseUri)]),
      ...mounted("shared", inputs.sharedStorage),
    ],
    OutputDataConfig: { S3OutputPath: `${inputs.checkpointsUri}sagemaker/`, ...key },
    ResourceConfig: {
      InstanceType: inputs.instanceType as never,
      InstanceCount: inputs.instances,
      VolumeSizeInGB: inputs.volumeGiB,
      ...(volumeKmsKeyArn === undefined ? {} : { VolumeKmsKeyId: volumeKmsKeyArn }),
      ...(keepWarmMinutes > 0 ? { KeepAlivePeriodInSeconds: keepWarmMinutes * 60 } : {}),
    },
    StoppingCondition: {
      MaxRuntimeInSeconds: seconds,
      ...(spot ? { MaxWaitTimeInSeconds: seconds } : {}),
    },
    EnableManagedSpotTraining: spot,
    ...placed(inputs),
    Tags: Object.entries(inputs.tags).map(([Key, Value]) => ({ Key, Value })),
  };
}
