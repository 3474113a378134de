import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import type { Faults } from "../faults.ts";
import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import { json } from "./json-reply.ts";
import type { TaggedThing } from "./tag-calls.ts";
import { TaggedNames } from "./tagged-names.ts";

/** What notebook instances need of the cloud. */
export interface NotebooksParts {
  readonly clock: Clock;
  readonly faults: Faults;
}

type Status = "Pending" | "InService" | "Stopping" | "Stopped" | "Updating" | "Failed" | "Deleting";

/** A notebook instance, as CreateNotebookInstance asked for it. */
interface Notebook extends TaggedThing {
  status: Status;
  asked: Readonly<Record<string, unknown>>;
  failure?: string;
  readonly created: Date;
  modified: Date;
  work?: Promise<void>;
}

interface Lifecycle extends TaggedThing {
  hooks: Readonly<Record<string, unknown>>;
}

/** A moment of the real service's minutes. */
const stepMs = 150;
/** Longest script, characters of its base64: docs.aws.amazon.com/sagemaker/latest/APIReference/API_NotebookInstanceLifecycleHook.html */
const longestScript = 16_384;

function refuse(message: string): never {
  throw new ApiError("ValidationException", message);
}

function checkHooks(parameters: ApiRequest["parameters"]): void {
  for (const key of ["OnCreate", "OnStart"]) {
    for (const { Content = "" } of (parameters[key] ?? []) as { Content?: string }[]) {
      if (Content.length > longestScript) {
        refuse(`Member at '${key}' must have length less than or equal to ${longestScript}`);
      }
      if (!Buffer.from(Content, "base64").toString().startsWith("#!")) {
        refuse(`The script of ${key} is not encoded in base64, or has no interpreter.`);
      }
    }
  }
}

/** SageMaker's notebook instances and their lifecycle configurations, in the states of the real service. */
export class Notebooks {
  readonly #parts: NotebooksParts;
  readonly #notebooks = new TaggedNames<Notebook>("notebook-instance");
  readonly #lifecycles = new TaggedNames<Lifecycle>("notebook-instance-lifecycle-config");
  #stopping = false;

  constructor(parts: NotebooksParts) {
    this.#parts = parts;
  }

  /** Answers the calls that are about notebooks; undefined for any other. */
  answer(call: ApiRequest): ApiReply | undefined {
    const tags = this.#notebooks.tagsCall(call) ?? this.#lifecycles.tagsCall(call);
    if (tags !== undefined) return tags;
    const { operation } = call;
    if (operation.includes("NotebookInstanceLifecycleConfig")) return json(this.#lifecycle(call));
    if (operation === "CreatePresignedNotebookInstanceUrl") return json(this.#presigned(call));
    if (operation === "ListNotebookInstances") {
      const NotebookInstances = this.#notebooks.named(call).map((each) => this.#summary(each));
      return json({ NotebookInstances });
    }
    if (/^(Create|Describe|Start|Stop|Update|Delete)NotebookInstance$/.test(operation)) {
      return json(this.#instance(call));
    }
    return undefined;
  }

  /** The reply of GetResources with the notebooks among it. */
  indexed(call: ApiRequest, reply: ApiReply): ApiReply {
    return this.#notebooks.indexed(call, this.#lifecycles.indexed(call, reply));
  }

  async settled(): Promise<void> {
    for (const { work } of this.#notebooks.all()) await work;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.settled();
  }

  #instance(call: ApiRequest): object {
    const name = String(call.parameters["NotebookInstanceName"]);
    if (call.operation === "CreateNotebookInstance") return this.#create(call, name);
    const notebook = this.#notebooks.get(call, name);
    switch (call.operation) {
      case "DescribeNotebookInstance":
        return this.#described(notebook);
      case "StartNotebookInstance":
        this.#must(notebook, "start", ["Stopped", "Failed"]);
        this.#move(notebook, "Pending", () => {
          this.#start(notebook);
        });
        return {};
      case "StopNotebookInstance":
        this.#must(notebook, "stop", ["InService"]);
        this.#move(notebook, "Stopping", () => {
          notebook.status = "Stopped";
        });
        return {};
      case "UpdateNotebookInstance":
        this.#must(notebook, "update", ["Stopped", "Failed"]);
        notebook.asked = { ...notebook.asked, ...call.parameters };
        this.#move(notebook, "Updating", () => {
          notebook.status = "Stopped";
        });
        return {};
      default:
        this.#must(notebook, "delete", ["Stopped", "Failed"]);
        this.#move(notebook, "Deleting", () => {
          this.#notebooks.remove(notebook);
        });
        return {};
    }
  }

  #create(call: ApiRequest, name: string): object {
    const now = this.#parts.clock.now();
    const { parameters: asked, region } = call;
    const { LifecycleConfigName: lifecycle } = asked as { LifecycleConfigName?: string };
    if (lifecycle !== undefined) this.#lifecycles.get(call, lifecycle);
    const made: Notebook = {
      ...{ region, name, tags: new Map(), status: "Pending", asked, created: now, modified: now },
    };
    const arn = this.#notebooks.add(call, made);
    this.#move(made, "Pending", () => {
      this.#start(made);
    });
    return { NotebookInstanceArn: arn };
  }

  #start(notebook: Notebook): void {
    const instanceType = String(notebook.asked["InstanceType"]);
    const operations = ["ProvisionNotebook"];
    const fault = this.#parts.faults.take({ service: "sagemaker", operations, instanceType });
    if (fault?.kind === "insufficient-capacity") {
      Object.assign(notebook, {
        status: "Failed",
        failure: `Insufficient capacity for ${instanceType} in the availability zone of the notebook instance.`,
      });
    } else notebook.status = "InService";
  }

  #must({ status, name, region }: Notebook, what: string, from: readonly Status[]): void {
    if (from.includes(status)) return;
    refuse(
      `Status (${status}) not in ([${from.join(", ")}]). Unable to ${what} Notebook Instance (${this.#notebooks.arn({ region, name })})`,
    );
  }

  /** Takes its moment, and is then done; a notebook that is asked for something else meanwhile refuses it. */
  #move(notebook: Notebook, status: Status, done: () => void): void {
    Object.assign(notebook, { status, modified: this.#parts.clock.now() });
    notebook.work = (async () => {
      await sleep(this.#stopping ? 0 : stepMs);
      done();
      notebook.modified = this.#parts.clock.now();
    })();
  }

  #presigned(call: ApiRequest): object {
    const name = String(call.parameters["NotebookInstanceName"]);
    const notebook = this.#notebooks.get(call, name);
    this.#must(notebook, "make a URL for", ["InService"]);
    return { AuthorizedUrl: `https://${this.#url(notebook)}?authToken=${randomUUID()}` };
  }

  #url({ name, region }: TaggedThing): string {
    return `${name}.notebook.${region}.sagemaker.aws`;
  }

  #summary(notebook: Notebook): object {
    const { name, status, asked, created, modified } = notebook;
    return {
      NotebookInstanceName: name,
      NotebookInstanceArn: this.#notebooks.arn(notebook),
      NotebookInstanceStatus: status,
      InstanceType: asked["InstanceType"],
      CreationTime: created.getTime() / 1000,
      LastModifiedTime: modified.getTime() / 1000,
      Url: this.#url(notebook),
      NotebookInstanceLifecycleConfigName: asked["LifecycleConfigName"],
    };
  }

  #described(notebook: Notebook): object {
    const { asked, failure } = notebook;
    const told = ["RoleArn", "VolumeSizeInGB", "RootAccess", "DirectInternetAccess", "SubnetId"];
    const more = ["KmsKeyId", "PlatformIdentifier", "InstanceMetadataServiceConfiguration"];
    return {
      ...Object.fromEntries([...told, ...more].map((key) => [key, asked[key]])),
      ...this.#summary(notebook),
      SecurityGroups: notebook.asked["SecurityGroupIds"],
      ...(failure === undefined ? {} : { FailureReason: failure }),
    };
  }

  #lifecycle(call: ApiRequest): object {
    const { operation, parameters, region } = call;
    const name = String(parameters["NotebookInstanceLifecycleConfigName"]);
    if (operation.startsWith("Create") || operation.startsWith("Update")) checkHooks(parameters);
    const { OnCreate = [], OnStart = [] } = parameters;
    if (operation.startsWith("Create")) {
      const made = { region, name, tags: new Map<string, string>(), hooks: { OnCreate, OnStart } };
      return { NotebookInstanceLifecycleConfigArn: this.#lifecycles.add(call, made) };
    }
    if (operation.startsWith("List")) {
      const NotebookInstanceLifecycleConfigs = this.#lifecycles.named(call).map((each) => ({
        NotebookInstanceLifecycleConfigName: each.name,
        NotebookInstanceLifecycleConfigArn: this.#lifecycles.arn(each),
      }));
      return { NotebookInstanceLifecycleConfigs };
    }
    const found = this.#lifecycles.get(call, name);
    if (operation.startsWith("Update")) found.hooks = { OnCreate, OnStart };
    if (operation.startsWith("Delete")) this.#lifecycles.remove(found);
    return operation.startsWith("Describe")
      ? {
          NotebookInstanceLifecycleConfigName: name,
          NotebookInstanceLifecycleConfigArn: this.#lifecycles.arn(found),
          ...found.hooks,
        }
      : {};
  }
}
