import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  ListTagsCommand,
  SageMakerClient,
  StopTrainingJobCommand,
  UpdateTrainingJobCommand,
  type CreateTrainingJobCommandInput,
  type DescribeTrainingJobCommandOutput,
} from "@aws-sdk/client-sagemaker";
import { runTag } from "../../components/identity.ts";
import { UserError } from "../../components/user-error.ts";

/** Where a job is, and how waiting for it is given up. */
export interface TrainingControlOptions {
  readonly region: string;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
}

/** Between two looks: often at first, for a job of the emulated cloud ends in a second. */
const pausesMs = { first: 500, last: 15_000 };
/** A role that was just made is not known everywhere yet. */
const roleTries = 12;

function says(error: unknown, words: RegExp): boolean {
  return error instanceof Error && words.test(`${error.name} ${error.message}`);
}

/** Whether nothing more happens to a job of that status. */
export function isOver(status: string | undefined): boolean {
  return status !== "InProgress" && status !== "Stopping";
}

/** Makes, looks at and stops training jobs. */
export class TrainingControl {
  readonly #client: SageMakerClient;
  readonly #options: TrainingControlOptions;

  constructor(options: TrainingControlOptions) {
    this.#options = options;
    this.#client = new SageMakerClient({ maxAttempts: 6, region: options.region });
  }

  close(): void {
    this.#client.destroy();
  }

  /** The job as SageMaker has it; undefined when there is none. */
  async find(TrainingJobName: string): Promise<DescribeTrainingJobCommandOutput | undefined> {
    try {
      return await this.#client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
    } catch (error) {
      if (says(error, /resource not found|could not find/i)) return undefined;
      throw error;
    }
  }

  /**
   * Asks for a job; one of the same run that is there already, since an answer was lost, is that job.
   *
   * @throws UserError when there is one of that name that is another's
   */
  async create(request: CreateTrainingJobCommandInput, tags: Readonly<Record<string, string>>) {
    const { TrainingJobName: name = "" } = request;
    for (let left = roleTries; ; left -= 1) {
      try {
        const { TrainingJobArn } = await this.#client.send(new CreateTrainingJobCommand(request));
        return TrainingJobArn ?? "";
      } catch (error) {
        if (says(error, /ResourceInUse|already exists/)) return this.#adopt(name, tags);
        if (left === 0 || !says(error, /assume role|is invalid.*role|role.*is invalid/i))
          throw error;
        this.#options.log("the job's role is not known everywhere yet; asked again in 5 s");
        await sleep(5000, undefined, { signal: this.#options.signal });
      }
    }
  }

  /** Stops a job, ends the instances that it kept, and waits until it has ended; one that is not there has. */
  async stop(TrainingJobName: string): Promise<void> {
    const { signal, log } = this.#options;
    let pauseMs = pausesMs.first;
    for (let asked = false; ; asked = true) {
      const found = await this.find(TrainingJobName);
      if (found === undefined) return;
      if (isOver(found.TrainingJobStatus)) {
        if (found.WarmPoolStatus?.Status === "Available") await this.#coolDown(TrainingJobName);
        return;
      }
      if (!asked) {
        log(`training job ${TrainingJobName}: stopping, with two minutes for a last checkpoint`);
        await this.#client
          .send(new StopTrainingJobCommand({ TrainingJobName }))
          .catch((error: unknown) => {
            // It may have ended meanwhile.
            if (!says(error, /in status|ValidationException/)) throw error;
          });
      }
      await sleep(pauseMs, undefined, { signal });
      pauseMs = Math.min(pausesMs.last, pauseMs * 1.5);
    }
  }

  /** https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools-how-to-use.html */
  async #coolDown(TrainingJobName: string): Promise<void> {
    const ResourceConfig = { KeepAlivePeriodInSeconds: 0 };
    await this.#client.send(new UpdateTrainingJobCommand({ TrainingJobName, ResourceConfig }));
  }

  async #adopt(name: string, tags: Readonly<Record<string, string>>): Promise<string> {
    const { TrainingJobArn: ResourceArn = "" } = (await this.find(name)) ?? {};
    const { Tags = [] } = await this.#client.send(new ListTagsCommand({ ResourceArn }));
    if (Tags.some(({ Key, Value }) => Key === runTag && Value === tags[runTag])) return ResourceArn;
    throw new UserError(`There is a training job "${name}" already, of another deployment.`, {
      hint: "Give the job's folder another name.",
    });
  }
}
