import { setTimeout as sleep } from "node:timers/promises";
import {
  AddTagsCommand,
  CreateInferenceComponentCommand,
  DeleteInferenceComponentCommand,
  DescribeInferenceComponentCommand,
  ListTagsCommand,
  SageMakerClient,
  UpdateInferenceComponentCommand,
  UpdateInferenceComponentRuntimeConfigCommand,
  type DescribeInferenceComponentCommandOutput,
  type InferenceComponentSpecification,
} from "@aws-sdk/client-sagemaker";

/** A component as SageMaker has it. */
export interface ComponentView {
  readonly arn: string;
  readonly state: string;
  readonly modelName: string;
  /** Copies that answer now. */
  readonly copies: number;
  /** Why it failed, or why its last change was taken back; empty when nothing did. */
  readonly failure: string;
}

/** Which component, and how what happens to it is told. */
export interface ComponentControlOptions {
  readonly componentName: string;
  readonly region: string;
  /** Gives up waiting when it fires. */
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
}

type Tags = Readonly<Record<string, string>>;

/** States in which a component takes no change (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeInferenceComponent.html). */
const busy = new Set(["Creating", "Updating", "Deleting"]);

/** Between two looks. */
const pausesMs = { first: 500, last: 15_000 };

function isMissing(error: unknown): boolean {
  return error instanceof Error && /could not find/i.test(error.message);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && /in.progress/i.test(error.message);
}

/** A component as SageMaker tells of it; undefined when there is none. */
export async function findComponent(
  client: SageMakerClient,
  InferenceComponentName: string,
): Promise<ComponentView | undefined> {
  try {
    return viewOf(
      await client.send(new DescribeInferenceComponentCommand({ InferenceComponentName })),
    );
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function viewOf(found: DescribeInferenceComponentCommandOutput): ComponentView {
  return {
    arn: found.InferenceComponentArn ?? "",
    state: found.InferenceComponentStatus ?? "",
    modelName: found.Specification?.ModelName ?? "",
    copies: found.RuntimeConfig?.CurrentCopyCount ?? 0,
    failure: found.FailureReason ?? "",
  };
}

/** Makes, changes and removes one inference component, and waits until SageMaker is done with it. */
export class ComponentControl {
  readonly #client: SageMakerClient;
  readonly #options: ComponentControlOptions;

  constructor(options: ComponentControlOptions) {
    this.#options = options;
    this.#client = new SageMakerClient({ maxAttempts: 6, region: options.region });
  }

  close(): void {
    this.#client.destroy();
  }

  /** The component as it is now; undefined when there is none. */
  find(): Promise<ComponentView | undefined> {
    return findComponent(this.#client, this.#options.componentName);
  }

  /** The component once nothing is being done to it; undefined when there is none. */
  async settled(): Promise<ComponentView | undefined> {
    const { signal, log, componentName } = this.#options;
    let pauseMs = pausesMs.first;
    let told = "";
    for (;;) {
      const found = await this.find();
      if (found === undefined || !busy.has(found.state)) return found;
      if (found.state !== told) log(`inference component ${componentName}: ${found.state}`);
      told = found.state;
      await sleep(pauseMs, undefined, { signal });
      pauseMs = Math.min(pausesMs.last, pauseMs * 1.5);
    }
  }

  async tagsOf({ arn: ResourceArn }: ComponentView): Promise<Tags> {
    const { Tags = [] } = await this.#client.send(new ListTagsCommand({ ResourceArn }));
    return Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  }

  async retag({ arn: ResourceArn }: ComponentView, tags: Tags): Promise<void> {
    await this.#client.send(new AddTagsCommand({ ResourceArn, Tags: tagList(tags) }));
  }

  /** Asks for the component; one that somebody has made meanwhile is left as it is. */
  async create(
    Specification: InferenceComponentSpecification,
    on: {
      readonly endpointName: string;
      readonly variantName: string;
      readonly copies: number;
      readonly tags: Tags;
    },
  ): Promise<void> {
    const command = new CreateInferenceComponentCommand({
      InferenceComponentName: this.#options.componentName,
      EndpointName: on.endpointName,
      VariantName: on.variantName,
      Specification,
      RuntimeConfig: { CopyCount: on.copies },
      Tags: tagList(on.tags),
    });
    await this.#client.send(command).catch((error: unknown) => {
      if (!(error instanceof Error && /already exist/i.test(error.message))) throw error;
    });
  }

  /** Moves the copies to another model or other sizes. */
  async update(Specification: InferenceComponentSpecification): Promise<void> {
    const { componentName: InferenceComponentName } = this.#options;
    await this.#client.send(
      new UpdateInferenceComponentCommand({ InferenceComponentName, Specification }),
    );
  }

  async setCopies(CopyCount: number): Promise<void> {
    const { componentName: InferenceComponentName } = this.#options;
    await this.#client.send(
      new UpdateInferenceComponentRuntimeConfigCommand({
        InferenceComponentName,
        DesiredRuntimeConfig: { CopyCount },
      }),
    );
  }

  /** Deletes the component, and waits until it is gone. SageMaker refuses while copies start, so that this can take as long as that. */
  async remove(): Promise<void> {
    const { componentName: InferenceComponentName } = this.#options;
    while ((await this.settled()) !== undefined) {
      await this.#client
        .send(new DeleteInferenceComponentCommand({ InferenceComponentName }))
        .catch((error: unknown) => {
          if (!isMissing(error) && !isBusy(error)) throw error;
        });
    }
  }
}

function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
