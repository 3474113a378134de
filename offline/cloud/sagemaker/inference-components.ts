import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import type { EndpointsParts } from "./endpoints.ts";
import {
  allSummaries,
  componentArn,
  described,
  type Component,
  type Specification,
} from "./component-view.ts";
import { json } from "./json-reply.ts";
import { indexedThings, tagsCall, withThings } from "./tag-calls.ts";
import { copiesOf, gpusOfEndpoint, instancesFor } from "./component-instances.ts";
import { startCopy } from "./component-start.ts";
import { endpointKey, findEndpoint } from "./hosted-endpoint.ts";
import type { ServingProcess } from "./serving-process.ts";

/** How a component scales, by `endpoints.py`. */
interface Scaling {
  readonly scales: boolean;
  readonly least?: number;
  readonly wakes?: boolean;
  readonly quietSeconds?: number | null;
}

const tickMs = 500;

function refuse(message: string): never {
  throw new ApiError("ValidationException", message);
}

/**
 * SageMaker's inference components: models on an endpoint that has none of its own, with copies that come and go. An endpoint
 * that is deleted leaves them behind, as the real one does.
 */
export class InferenceComponents {
  readonly #parts: EndpointsParts;
  readonly #components = new Map<string, Component>();
  readonly #timer: NodeJS.Timeout;
  #count = 0;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#restWhenQuiet().catch(() => undefined), tickMs);
    this.#timer.unref();
  }

  /** Answers the calls that are about components; undefined for any other. */
  async answer(call: ApiRequest): Promise<ApiReply | undefined> {
    const tags = tagsCall(call, "inference-component", (name) => this.#get(call, name));
    if (tags !== undefined) return tags;
    switch (call.operation) {
      case "CreateInferenceComponent":
        return this.#create(call);
      case "UpdateInferenceComponent":
        return this.#update(call);
      case "UpdateInferenceComponentRuntimeConfig":
        return this.#setCopies(call);
      case "DeleteInferenceComponent":
        return this.#delete(call);
      case "DescribeInferenceComponent":
        return json(described(this.#get(call)));
      case "ListInferenceComponents":
        return json(allSummaries(this.#components.values(), call));
      default:
        return undefined;
    }
  }

  /**
   * The container for a request that names a component; undefined for one that names none.
   *
   * @throws ApiError when it has no copy now; where an alarm wakes it, one is started
   */
  async serving(call: ApiRequest, endpoint: string): Promise<ServingProcess | undefined> {
    const name = call.headers["x-amzn-sagemaker-inference-component"];
    if (name === undefined) {
      const hasSome = [...this.#components.values()].some((each) => each.endpoint === endpoint);
      if (!hasSome) return undefined;
      throw new ApiError(
        "ValidationError",
        "Inference Component Name header is required for endpoints to which you plan to deploy inference components.",
      );
    }
    const component = this.#components.get(endpointKey({ region: call.region, name }));
    if (component?.endpoint !== endpoint) {
      throw new ApiError("ValidationError", `Inference Component ${name} not found.`);
    }
    component.lastAsked = this.#parts.clock.now().getTime();
    if (component.serving !== undefined) return component.serving;
    await this.#wake(component);
    throw new ApiError(
      "ValidationError",
      "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API.",
    );
  }

  /** The reply of GetResources with the components among it. */
  indexed(call: ApiRequest, reply: ApiReply): ApiReply {
    const arn = ({ region, name }: Component) => componentArn(region, name);
    const things = this.#components.values();
    return withThings(reply, indexedThings(call, "inference-component", { things, arn }));
  }

  /** To be told when an endpoint goes: its instances go with it, and the components stay, with nothing to run on. */
  async endpointGone(region: string, name: string): Promise<void> {
    for (const component of this.#components.values()) {
      if (component.region === region && component.endpoint === name) await this.#empty(component);
    }
  }

  async settled(): Promise<void> {
    for (const { work } of this.#components.values()) await work;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const component of this.#components.values()) await this.#empty(component);
  }

  #get(call: ApiRequest, name = String(call.parameters["InferenceComponentName"])): Component {
    const found = this.#components.get(endpointKey({ region: call.region, name }));
    if (found !== undefined) return found;
    return refuse(`Could not find inference component "${componentArn(call.region, name)}".`);
  }

  async #create(call: ApiRequest): Promise<ApiReply> {
    const { region, parameters } = call;
    const name = String(parameters["InferenceComponentName"]);
    const endpoint = String(parameters["EndpointName"]);
    const { CopyCount: copies = 0 } = (parameters["RuntimeConfig"] ?? {}) as { CopyCount?: number };
    const specification = parameters["Specification"] as Specification;
    const key = endpointKey({ region, name });
    const found = await findEndpoint(this.#parts.moto, region, endpoint);
    // Looked for last: two calls at once must not both find it free.
    if (this.#components.has(key)) {
      refuse(`Cannot create already existing inference component "${componentArn(region, name)}".`);
    }
    if (found?.status !== "InService") {
      refuse(`Could not find endpoint "${endpoint}", or it is not InService.`);
    }
    if (found.variants[0]?.ModelName !== undefined) {
      refuse(`Endpoint "${endpoint}" has a model of its own, and takes no inference components.`);
    }
    if (copies < 1) refuse("CopyCount must be at least 1 when an inference component is created.");
    const now = this.#parts.clock.now();
    const component: Component = {
      ...{ region, name, endpoint, specification, desired: copies, current: 0 },
      ...{ status: "Creating", created: now, lastAsked: now.getTime(), tags: new Map() },
      abort: new AbortController(),
    };
    for (const { Key, Value } of (parameters["Tags"] ?? []) as { Key: string; Value: string }[]) {
      component.tags.set(Key, Value);
    }
    this.#components.set(key, component);
    this.#work(component, specification, (failure) => {
      component.status = "Failed";
      component.failure = failure;
    });
    return json({ InferenceComponentArn: componentArn(region, name) });
  }

  #update(call: ApiRequest): ApiReply {
    const component = this.#free(call, "update");
    const next = call.parameters["Specification"] as Specification;
    component.status = "Updating";
    delete component.failure;
    const before = component.serving;
    if (before === undefined && component.desired === 0) {
      Object.assign(component, { specification: next, status: "InService" });
    } else {
      // A copy that does not get well leaves the old ones where they are.
      this.#work(component, next, (failure) => {
        Object.assign(component, { status: "InService", failure, serving: before });
      });
    }
    return json({ InferenceComponentArn: componentArn(component.region, component.name) });
  }

  async #setCopies(call: ApiRequest): Promise<ApiReply> {
    const component = this.#free(call, "update");
    const { CopyCount } = call.parameters["DesiredRuntimeConfig"] as { CopyCount: number };
    if (CopyCount === 0) await this.#rest(component);
    else if (component.serving === undefined) this.#scaleOut(component, CopyCount);
    else {
      Object.assign(component, { desired: CopyCount, current: CopyCount });
      await this.#tellInstances(component);
    }
    return json({ InferenceComponentArn: componentArn(component.region, component.name) });
  }

  async #delete(call: ApiRequest): Promise<ApiReply> {
    const component = this.#free(call, "delete");
    await this.#empty(component);
    this.#components.delete(endpointKey(component));
    return json({});
  }

  /** A component to which something may be done now. */
  #free(call: ApiRequest, what: string): Component {
    const component = this.#get(call);
    const { status, region, name } = component;
    if (status !== "Creating" && status !== "Updating") return component;
    const state = status === "Creating" ? "CREATE_IN_PROGRESS" : "UPDATE_RC_IN_PROGRESS";
    return refuse(
      `Cannot ${what} inference component "${componentArn(region, name)}" while it is in state ${state}.`,
    );
  }

  /** Starts a container by a specification; the old one ends when the new one is well. */
  #work(component: Component, next: Specification, failed: (why: string) => void): void {
    const before = component.serving;
    component.work = (async () => {
      try {
        const number = (this.#count += 1);
        const beside = this.#beside(component);
        const started = { specification: next, number, beside };
        const serving = await startCopy(this.#parts, component, started);
        const current = component.desired;
        Object.assign(component, { serving, specification: next, status: "InService", current });
        component.lastAsked = this.#parts.clock.now().getTime();
        await before?.stop();
        await this.#tellInstances(component);
      } catch (error) {
        failed(error instanceof Error ? error.message : String(error));
      }
    })();
  }

  async #wake(component: Component): Promise<void> {
    const { wakes } = await this.#scaling(component);
    // Asked last: of several requests at once, the first one starts a copy.
    const canWake = component.status === "InService" && !component.abort.signal.aborted;
    if (wakes === true && canWake && component.serving === undefined) this.#scaleOut(component, 1);
  }

  #scaleOut(component: Component, copies: number): void {
    Object.assign(component, { status: "Updating", desired: copies });
    this.#work(component, component.specification, (failure) => {
      Object.assign(component, { status: "InService", failure, desired: 0 });
    });
  }

  async #rest(component: Component): Promise<void> {
    const { serving } = component;
    Object.assign(component, { serving: undefined, desired: 0, current: 0 });
    await serving?.stop();
    await this.#tellInstances(component);
  }

  /** Ends whatever runs of a component, for good. */
  async #empty(component: Component): Promise<void> {
    component.abort.abort();
    await component.work;
    const { serving } = component;
    Object.assign(component, { serving: undefined, current: 0 });
    await serving?.stop();
  }

  #scaling({ region, name }: Component): Promise<Scaling> {
    return this.#parts.moto.ask<Scaling>("scaling", { region, component: name });
  }

  async #restWhenQuiet(): Promise<void> {
    for (const component of this.#components.values()) {
      if (component.serving === undefined || component.status !== "InService") continue;
      const { scales, least, quietSeconds } = await this.#scaling(component);
      if (!scales || least !== 0 || typeof quietSeconds !== "number") continue;
      const quietMs = this.#parts.clock.now().getTime() - component.lastAsked;
      if (quietMs >= quietSeconds * 1000) await this.#rest(component);
    }
  }

  /** The other components on the same endpoint that have, or are to have, copies. */
  #beside({ region, name, endpoint }: Component): readonly Component[] {
    return [...this.#components.values()].filter(
      (each) =>
        each.region === region &&
        each.endpoint === endpoint &&
        each.name !== name &&
        each.desired > 0 &&
        each.status !== "Failed",
    );
  }

  async #tellInstances(component: Component): Promise<void> {
    const { region, endpoint } = component;
    const own = component.desired > 0 ? [component] : [];
    const gpus = await gpusOfEndpoint(this.#parts.moto, region, endpoint);
    const instances = instancesFor([...this.#beside(component), ...own].flatMap(copiesOf), gpus);
    const change = { region, name: endpoint, status: "InService", instances };
    await this.#parts.moto.ask("endpoint", change);
  }
}
