import type { ApplicationAutoScaling } from "@aws-sdk/client-application-auto-scaling";
import type { Budgets } from "@aws-sdk/client-budgets";
import type { CloudWatch } from "@aws-sdk/client-cloudwatch";
import type { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import type { EC2 } from "@aws-sdk/client-ec2";
import type { IAM } from "@aws-sdk/client-iam";
import type { S3 } from "@aws-sdk/client-s3";
import type { SageMaker } from "@aws-sdk/client-sagemaker";
import type { Scheduler } from "@aws-sdk/client-scheduler";
import type { SFN } from "@aws-sdk/client-sfn";
import type { SSM } from "@aws-sdk/client-ssm";
import type { STS } from "@aws-sdk/client-sts";
import type { Settings } from "./settings.ts";

interface ClientConfig {
  readonly region: string;
  readonly endpoint?: string;
  readonly maxAttempts?: number;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** AWS's default number of tries is 3; an emulated cloud is asked a bit more often, since its faults are on request. */
const defaultRetries = 4;

/** The SDK's clients of one region. Each is loaded when it is first used, so that the plugin starts at once. */
export class Clients {
  readonly #settings: Settings;
  readonly #region: string;
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(settings: Settings, region: string) {
    this.#settings = settings;
    this.#region = region;
  }

  applicationAutoScaling(): Promise<ApplicationAutoScaling> {
    return this.#once("applicationautoscaling", async (config) => {
      const sdk = await import("@aws-sdk/client-application-auto-scaling");
      return new sdk.ApplicationAutoScaling(config);
    });
  }

  budgets(): Promise<Budgets> {
    return this.#once(
      "budgets",
      async (config) => new (await import("@aws-sdk/client-budgets")).Budgets(config),
    );
  }

  cloudwatch(): Promise<CloudWatch> {
    return this.#once(
      "cloudwatch",
      async (config) => new (await import("@aws-sdk/client-cloudwatch")).CloudWatch(config),
    );
  }

  ec2(): Promise<EC2> {
    return this.#once(
      "ec2",
      async (config) => new (await import("@aws-sdk/client-ec2")).EC2(config),
    );
  }

  iam(): Promise<IAM> {
    return this.#once(
      "iam",
      async (config) => new (await import("@aws-sdk/client-iam")).IAM(config),
    );
  }

  s3(): Promise<S3> {
    return this.#once(
      "s3",
      async (config) =>
        new (await import("@aws-sdk/client-s3")).S3({
          ...config,
          forcePathStyle: config.endpoint !== undefined,
        }),
    );
  }

  sagemaker(): Promise<SageMaker> {
    return this.#once(
      "sagemaker",
      async (config) => new (await import("@aws-sdk/client-sagemaker")).SageMaker(config),
    );
  }

  sfn(): Promise<SFN> {
    return this.#once(
      "sfn",
      async (config) => new (await import("@aws-sdk/client-sfn")).SFN(config),
    );
  }

  scheduler(): Promise<Scheduler> {
    return this.#once(
      "scheduler",
      async (config) => new (await import("@aws-sdk/client-scheduler")).Scheduler(config),
    );
  }

  ssm(): Promise<SSM> {
    return this.#once(
      "ssm",
      async (config) => new (await import("@aws-sdk/client-ssm")).SSM(config),
    );
  }

  sts(): Promise<STS> {
    return this.#once(
      "sts",
      async (config) => new (await import("@aws-sdk/client-sts")).STS(config),
    );
  }

  logs(): Promise<CloudWatchLogs> {
    return this.#once(
      "logs",
      async (config) =>
        new (await import("@aws-sdk/client-cloudwatch-logs")).CloudWatchLogs(config),
    );
  }

  /** The account of the credentials in use. */
  account(): Promise<string> {
    return this.#once("account", async () => {
      const sts = await this.sts();
      return (await sts.getCallerIdentity()).Account ?? "";
    });
  }

  #once<T>(name: string, make: (config: ClientConfig) => Promise<T>): Promise<T> {
    const known = this.#made.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const made = make(this.#config(name));
    this.#made.set(name, made);
    return made;
  }

  #config(service: string): ClientConfig {
    const { endpoints, maxRetries = defaultRetries, keys } = this.#settings;
    const endpoint = endpoints.get(service) ?? endpoints.get("*");
    // An emulated account takes any keys; without them the SDK would look for the metadata service.
    const emulated =
      endpoint !== undefined && process.env["AWS_ACCESS_KEY_ID"] === undefined
        ? { accessKeyId: "emulated", secretAccessKey: "emulated" }
        : undefined;
    const credentials = keys ?? emulated;
    return {
      region: this.#region,
      maxAttempts: maxRetries + 1,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    };
  }
}
