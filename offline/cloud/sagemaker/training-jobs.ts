import { join } from "node:path";
import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import { json } from "./json-reply.ts";
import type { EndpointsParts } from "./endpoints.ts";
import { endpointKey } from "./hosted-endpoint.ts";
import { indexedThings, tagsCall } from "./tag-calls.ts";
import { checkTrainingJob } from "./training-checks.ts";
import { runTraining } from "./training-run.ts";
import {
  described,
  isOver,
  listed,
  moveOn,
  trainingArn,
  type TrainingJob,
  type TrainingRequest,
} from "./training-view.ts";

/** What training jobs need of the cloud. */
export interface TrainingParts extends EndpointsParts {
  /** What containers are given to find the cloud. */
  readonly environment: Readonly<Record<string, string>>;
}

function refuse(code: string, message: string): never {
  throw new ApiError(code, message);
}

/** What two jobs have in common when the second takes the first one's warm instances. */
function poolKey({ request }: TrainingJob): string {
  const { InstanceType, InstanceCount = 1 } = request.ResourceConfig;
  const { TrainingImage } = request.AlgorithmSpecification;
  return JSON.stringify([InstanceType, InstanceCount, TrainingImage, request.RoleArn]);
}

/**
 * SageMaker's training jobs, kept here and not by moto, whose jobs are over at once. A container is a process of this machine;
 * states, refusals, the end by the clock and what becomes of spot capacity are the real service's.
 */
export class TrainingJobs {
  readonly #parts: TrainingParts;
  readonly #jobs = new Map<string, TrainingJob>();
  #count = 0;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
  }

  /** Answers the calls that are about training jobs; undefined for any other. */
  answer(call: ApiRequest): ApiReply | undefined {
    const tags = tagsCall(call, "training-job", (name) => this.#get(call, name));
    if (tags !== undefined) return tags;
    this.#coolDown();
    switch (call.operation) {
      case "CreateTrainingJob":
        return this.#create(call);
      case "DescribeTrainingJob":
        return json(described(this.#get(call)));
      case "ListTrainingJobs":
        return json(listed(this.#jobs.values(), call));
      case "StopTrainingJob":
        return this.#stop(call);
      case "UpdateTrainingJob":
        return this.#update(call);
      default:
        return undefined;
    }
  }

  /** Jobs as the resource tag index has them. */
  indexed(call: ApiRequest): readonly object[] {
    const arn = ({ region, name }: TrainingJob) => trainingArn(region, name);
    return indexedThings(call, "training-job", { things: this.#jobs.values(), arn });
  }

  /** Ends every job at once, without a word. */
  async stop(): Promise<void> {
    for (const job of this.#jobs.values()) job.abort.abort("cloud");
    for (const { work } of this.#jobs.values()) await work;
  }

  #get(call: ApiRequest, name = String(call.parameters["TrainingJobName"])): TrainingJob {
    const found = this.#jobs.get(endpointKey({ region: call.region, name }));
    return found ?? refuse("ValidationException", "Requested resource not found.");
  }

  #create(call: ApiRequest): ApiReply {
    const { region } = call;
    const { faults, store, clock } = this.#parts;
    const request = call.parameters as unknown as TrainingRequest;
    const { TrainingJobName: name, Tags = [] } = request;
    const key = endpointKey({ region, name });
    if (this.#jobs.has(key)) {
      const arn = trainingArn(region, name);
      refuse(
        "ResourceInUse",
        `Job name must be unique within an AWS account and region, and a job with this name already exists (${arn})`,
      );
    }
    checkTrainingJob(request, { store, faults, used: this.#used(request) });
    const now = clock.now();
    const job: TrainingJob = {
      ...{ region, name, request, created: now, transitions: [], status: "InProgress" },
      tags: new Map(Tags.map(({ Key, Value }) => [Key, Value])),
      trainedSeconds: 0,
      abort: new AbortController(),
    };
    this.#jobs.set(key, job);
    moveOn(job, now, "Starting", "Launching requested ML instances");
    this.#takeWarm(job);
    const folder = join(this.#parts.folder, `training-${(this.#count += 1)}`);
    job.work = runTraining(job, this.#parts, folder);
    return json({ TrainingJobArn: trainingArn(region, name) });
  }

  /** Instances of the type that other jobs have, of the same way of buying. */
  #used({ ResourceConfig, EnableManagedSpotTraining: spot = false }: TrainingRequest): number {
    return [...this.#jobs.values()]
      .filter(
        (job) =>
          !isOver(job) &&
          job.request.ResourceConfig.InstanceType === ResourceConfig.InstanceType &&
          (job.request.EnableManagedSpotTraining ?? false) === spot,
      )
      .reduce((sum, { request }) => sum + (request.ResourceConfig.InstanceCount ?? 1), 0);
  }

  #takeWarm(job: TrainingJob): void {
    for (const { warm, ...other } of this.#jobs.values()) {
      if (warm?.status !== "Available" || poolKey(other) !== poolKey(job)) continue;
      Object.assign(warm, { status: "Reused", reusedBy: job.name });
      return;
    }
  }

  /** Ends the warm instances whose time is up. */
  #coolDown(): void {
    const now = this.#parts.clock.now();
    for (const { warm } of this.#jobs.values()) {
      if (warm?.status === "Available" && now >= warm.until) warm.status = "Terminated";
    }
  }

  #stop(call: ApiRequest): ApiReply {
    const job = this.#get(call);
    if (isOver(job)) {
      refuse(
        "ValidationException",
        `The request was rejected because the training job is in status ${job.status}.`,
      );
    }
    if (job.status === "InProgress") {
      job.status = "Stopping";
      moveOn(job, this.#parts.clock.now(), "Stopping", "Stopping the training job");
      job.abort.abort("stop");
    }
    return json({});
  }

  #update(call: ApiRequest): ApiReply {
    const job = this.#get(call);
    const { ResourceConfig } = call.parameters as {
      ResourceConfig?: { KeepAlivePeriodInSeconds: number };
    };
    const seconds = ResourceConfig?.KeepAlivePeriodInSeconds;
    if (seconds === undefined) refuse("ValidationException", "There is nothing to update.");
    const { warm, request, ended } = job;
    if (isOver(job) && warm?.status !== "Available") {
      refuse("ValidationException", "Only a job with an available warm pool can be updated.");
    }
    const config = { ...request.ResourceConfig, KeepAlivePeriodInSeconds: seconds };
    job.request = { ...request, ResourceConfig: config };
    if (warm !== undefined && ended !== undefined) {
      warm.until = new Date(ended.getTime() + seconds * 1000);
      this.#coolDown();
    }
    return json({ TrainingJobArn: trainingArn(job.region, job.name) });
  }
}
