import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import type { Cloud } from "../../../offline/cloud/cloud.ts";
import { settingsFor, until } from "./account.ts";

/** The program that stands for the images of `hosting`. */
export const servingContainer = [
  process.execPath,
  new URL("serving-container.mjs", import.meta.url).pathname,
] as const;

/** What a test does with the endpoints of a cloud whose image `fixture` is {@link servingContainer}. */
export class Hosting {
  readonly client: sagemaker.SageMakerClient;
  readonly s3: S3Client;
  readonly #runtime: SageMakerRuntimeClient;

  constructor(cloud: Cloud) {
    this.client = new sagemaker.SageMakerClient(settingsFor(cloud));
    this.s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    this.#runtime = new SageMakerRuntimeClient(settingsFor(cloud));
  }

  /** A bucket with a model of two files at `tiny/`. */
  async makeWeights(Bucket: string): Promise<void> {
    await this.s3.send(new CreateBucketCommand({ Bucket }));
    for (const Key of ["tiny/config.json", "tiny/model.gguf"]) {
      await this.s3.send(new PutObjectCommand({ Bucket, Key, Body: "of the model" }));
    }
  }

  async makeModel(ModelName: string, Environment: Record<string, string> = {}): Promise<void> {
    await this.client.send(
      new sagemaker.CreateModelCommand({
        ModelName,
        ExecutionRoleArn: "arn:aws:iam::123456789012:role/serve",
        PrimaryContainer: {
          Image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/fixture:1",
          Environment,
          ModelDataSource: {
            S3DataSource: {
              S3Uri: "s3://weights/tiny/",
              S3DataType: "S3Prefix",
              CompressionType: "None",
            },
          },
        },
      }),
    );
  }

  /** A configuration of one variant, with what a test wants different. */
  async makeConfig(
    name: string,
    change: Partial<sagemaker.ProductionVariant> = {},
    more: Partial<sagemaker.CreateEndpointConfigInput> = {},
  ): Promise<void> {
    const variant = {
      VariantName: "AllTraffic",
      ModelName: name,
      InstanceType: "ml.g5.xlarge",
      InitialInstanceCount: 1,
      ...change,
    } as const;
    await this.client.send(
      new sagemaker.CreateEndpointConfigCommand({
        EndpointConfigName: name,
        ProductionVariants: [variant],
        ...more,
      }),
    );
  }

  async create(EndpointName: string, EndpointConfigName = EndpointName): Promise<void> {
    await this.client.send(
      new sagemaker.CreateEndpointCommand({ EndpointName, EndpointConfigName }),
    );
  }

  async update(
    EndpointName: string,
    EndpointConfigName: string,
    DeploymentConfig?: sagemaker.DeploymentConfig,
  ): Promise<void> {
    await this.client.send(
      new sagemaker.UpdateEndpointCommand({ EndpointName, EndpointConfigName, DeploymentConfig }),
    );
  }

  describe(EndpointName: string): Promise<sagemaker.DescribeEndpointCommandOutput> {
    return this.client.send(new sagemaker.DescribeEndpointCommand({ EndpointName }));
  }

  untilStatus(name: string, status: string): Promise<void> {
    return until(async () => (await this.describe(name)).EndpointStatus === status);
  }

  async ask(EndpointName: string, prompt: string): Promise<string> {
    const answer = await this.#runtime.send(
      new InvokeEndpointCommand({
        EndpointName,
        ContentType: "application/json",
        Body: JSON.stringify({ prompt }),
      }),
    );
    return Buffer.from(answer.Body).toString();
  }
}
