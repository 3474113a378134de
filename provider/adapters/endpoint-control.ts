import { setTimeout as sleep } from "node:timers/promises";
import {
  AddTagsCommand,
  CreateEndpointCommand,
  DeleteEndpointCommand,
  DeleteTagsCommand,
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  paginateListTags,
  SageMakerClient,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
  type DeploymentConfig,
  type InstancePoolSummary,
  type ProductionVariantSummary,
} from "@aws-sdk/client-sagemaker";
import { UserError } from "../../components/user-error.ts";
import { apiCase } from "./api-case.ts";

/** An endpoint as SageMaker has it. */
export interface EndpointView {
  readonly arn: string;
  readonly state: string;
  /** The configuration that serves. */
  readonly configName: string;
  /** What it runs on, where SageMaker chose among several types; else empty. */
  readonly instanceType: string;
  /** Of its variants, by name. */
  readonly weights: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** Which endpoint, and how what happens to it is told. */
export interface EndpointControlOptions {
  readonly endpointName: string;
  readonly region: string;
  /** Gives up waiting when it fires. */
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  /** Settings of the SDK's client besides the region. */
  readonly client?: ConstructorParameters<typeof SageMakerClient>[0];
}

/** States in which an endpoint takes no change (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html). */
const busy = new Set(["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"]);

/** Between two looks: often at first, for an endpoint of the emulated cloud is there in a second. */
const pausesMs = { first: 500, last: 15_000 };

/** The type with the most instances; a pool can be used up in the middle, and then there are two. */
function chosenType(pools: readonly InstancePoolSummary[] = []): string {
  const [most] = pools.toSorted(
    (a, b) => (b.CurrentInstanceCount ?? 0) - (a.CurrentInstanceCount ?? 0),
  );
  return (most?.CurrentInstanceCount ?? 0) > 0 ? (most?.InstanceType ?? "") : "";
}

function weightsOf(variants: readonly ProductionVariantSummary[] = []): Record<string, number> {
  const pairs = variants.map(
    ({ VariantName = "", DesiredWeight, CurrentWeight }) =>
      [VariantName, DesiredWeight ?? CurrentWeight ?? 0] as const,
  );
  return Object.fromEntries(pairs);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && /Could not find/i.test(error.message);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && /in-progress|is being/i.test(error.message);
}

/** Makes, changes and removes one endpoint, and waits until SageMaker is done with it. */
export class EndpointControl {
  readonly #client: SageMakerClient;
  readonly #options: EndpointControlOptions;

  constructor(options: EndpointControlOptions) {
    const { region, client } = options;
    this.#options = options;
    this.#client = new SageMakerClient({ maxAttempts: 6, ...client, region });
  }

  close(): void {
    this.#client.destroy();
  }

  /** The endpoint as it is now; undefined when there is none. */
  async find(): Promise<EndpointView | undefined> {
    const { endpointName: EndpointName } = this.#options;
    try {
      const found = await this.#client.send(new DescribeEndpointCommand({ EndpointName }));
      const { EndpointArn: arn = "", EndpointStatus = "", EndpointConfigName = "" } = found;
      return {
        arn,
        state: EndpointStatus,
        configName: EndpointConfigName,
        instanceType: chosenType(found.ProductionVariants?.[0]?.InstancePools),
        weights: weightsOf(found.ProductionVariants),
        tags: await this.#tagsOf(arn),
      };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The endpoint once nothing is being done to it; undefined when there is none. */
  async settled(): Promise<EndpointView | undefined> {
    const { signal, log, endpointName } = this.#options;
    let pauseMs = pausesMs.first;
    let told = "";
    for (;;) {
      const found = await this.find();
      if (found === undefined || !busy.has(found.state)) return found;
      if (found.state !== told) log(`endpoint ${endpointName}: ${found.state}`);
      told = found.state;
      await sleep(pauseMs, undefined, { signal });
      pauseMs = Math.min(pausesMs.last, pauseMs * 1.5);
    }
  }

  /** Asks for the endpoint; one that somebody has made meanwhile, such as a schedule, is left as it is. */
  async create(EndpointConfigName: string, tags: Readonly<Record<string, string>>): Promise<void> {
    const { endpointName: EndpointName } = this.#options;
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.#client
      .send(new CreateEndpointCommand({ EndpointName, EndpointConfigName, Tags }))
      .catch((error: unknown) => {
        if (!(error instanceof Error && /already exist/i.test(error.message))) throw error;
      });
  }

  /** @param deploymentConfig as AWS's provider has it */
  async update(EndpointConfigName: string, deploymentConfig: object | undefined): Promise<void> {
    const { endpointName: EndpointName } = this.#options;
    const DeploymentConfig = apiCase(deploymentConfig) as DeploymentConfig | undefined;
    await this.#client
      .send(new UpdateEndpointCommand({ EndpointName, EndpointConfigName, DeploymentConfig }))
      .catch((error: unknown) => {
        if (!(error instanceof Error && /serverless/i.test(error.message))) throw error;
        throw new UserError(
          `The endpoint ${EndpointName} has instances, and SageMaker makes no serverless one of it: ${error.message}`,
          {
            hint: "Take the stack down and up again for that, or set berth:endpointMode back.",
            cause: error,
          },
        );
      });
  }

  /** Moves the traffic between its variants, without a new configuration. */
  async weigh(weights: EndpointView["weights"]): Promise<void> {
    const { endpointName: EndpointName } = this.#options;
    const DesiredWeightsAndCapacities = Object.entries(weights).map(
      ([VariantName, DesiredWeight]) => ({ VariantName, DesiredWeight }),
    );
    await this.#client.send(
      new UpdateEndpointWeightsAndCapacitiesCommand({ EndpointName, DesiredWeightsAndCapacities }),
    );
  }

  /** Gives the endpoint these tags, and takes those away that it had from berth and has no more. */
  async retag({ arn, tags: olds }: EndpointView, news: EndpointView["tags"]): Promise<void> {
    const Tags = Object.entries(news)
      .filter(([key, value]) => olds[key] !== value)
      .map(([Key, Value]) => ({ Key, Value }));
    const TagKeys = Object.keys(olds).filter((key) => key.startsWith("berth:") && !(key in news));
    if (Tags.length > 0) await this.#client.send(new AddTagsCommand({ ResourceArn: arn, Tags }));
    if (TagKeys.length > 0) {
      await this.#client.send(new DeleteTagsCommand({ ResourceArn: arn, TagKeys }));
    }
  }

  /** Deletes the endpoint, and waits until it is gone; one that is not there is. */
  async remove(): Promise<void> {
    const { endpointName: EndpointName } = this.#options;
    for (;;) {
      const found = await this.find();
      if (found === undefined) return;
      if (found.state === "SystemUpdating" || found.state === "Deleting") await this.settled();
      else {
        await this.#client
          .send(new DeleteEndpointCommand({ EndpointName }))
          .catch((error: unknown) => {
            // One that is being changed may refuse; it is asked again when that is over.
            if (!isMissing(error) && !isBusy(error)) throw error;
          });
        await this.settled();
      }
    }
  }

  /** The ARN that the endpoint has when it is made: account and partition are those of its configuration. */
  async arnBeside(EndpointConfigName: string): Promise<string> {
    const { EndpointConfigArn = "" } = await this.#client.send(
      new DescribeEndpointConfigCommand({ EndpointConfigName }),
    );
    return EndpointConfigArn.replace(
      /:endpoint-config\/.*$/,
      `:endpoint/${this.#options.endpointName}`,
    );
  }

  async #tagsOf(ResourceArn: string): Promise<Record<string, string>> {
    const tags: Record<string, string> = {};
    for await (const page of paginateListTags({ client: this.#client }, { ResourceArn })) {
      for (const { Key = "", Value = "" } of page.Tags ?? []) tags[Key] = Value;
    }
    return tags;
  }
}
