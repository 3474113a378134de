import type { ApiReply, ApiRequest } from "../proxy/api-request.ts";
import { AsyncJobs } from "./async-jobs.ts";
import { checkEndpointQuota, checkSageMakerCall } from "./checks.ts";
import { Endpoints } from "./endpoints.ts";
import { findEndpoint, type HostedVariant } from "./hosted-endpoint.ts";
import { checkConversion } from "./variant-checks.ts";
import { checkDeploymentConfig, type DeploymentConfig } from "./rollout.ts";
import { InferenceComponents } from "./inference-components.ts";
import { Notebooks } from "./notebooks.ts";
import { endpointOf, invokeEndpoint } from "./runtime.ts";
import { withThings } from "./tag-calls.ts";
import { TrainingJobs, type TrainingParts } from "./training-jobs.ts";

/** SageMaker's hosting and training around what moto keeps of it: refusals, states, containers and the runtime API. */
export class SageMakerService {
  readonly #parts: TrainingParts;
  readonly #endpoints: Endpoints;
  readonly #jobs: AsyncJobs;
  readonly #components: InferenceComponents;
  readonly #trainings: TrainingJobs;
  readonly #notebooks: Notebooks;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#endpoints = new Endpoints(parts);
    this.#jobs = new AsyncJobs(parts, this.#endpoints);
    this.#components = new InferenceComponents(parts);
    this.#trainings = new TrainingJobs(parts);
    this.#notebooks = new Notebooks(parts);
  }

  /** Checks a call before moto takes it; answers those of the runtime API itself. */
  async before(call: ApiRequest): Promise<ApiReply | undefined> {
    if (call.service !== "sagemaker") return undefined;
    if (call.operation === "InvokeEndpointAsync") return this.#jobs.add(call);
    if (call.operation.startsWith("InvokeEndpoint")) {
      const copy = await this.#components.serving(call, endpointOf(call));
      return invokeEndpoint(this.#endpoints, call, copy);
    }
    const answered =
      this.#trainings.answer(call) ??
      this.#notebooks.answer(call) ??
      (await this.#components.answer(call));
    if (answered !== undefined) return answered;
    checkSageMakerCall(call, this.#parts);
    if (/^(Create|Update)Endpoint$/.test(call.operation)) await this.#checkDeployment(call);
    return undefined;
  }

  /** Brings about what a call asked for. */
  async after(call: ApiRequest, reply: ApiReply): Promise<void> {
    const changes = /^(Create|Update|Delete)Endpoint(WeightsAndCapacities)?$/.test(call.operation);
    if (call.service === "sagemaker" && changes && reply.status < 300) {
      if (call.operation === "DeleteEndpoint") {
        const { EndpointName } = call.parameters;
        await this.#components.endpointGone(call.region, String(EndpointName));
      }
      await this.#endpoints.changed();
    }
  }

  /** The reply of the resource tag index with what moto does not know of. */
  indexed(call: ApiRequest, reply: ApiReply): ApiReply {
    if (call.operation !== "GetResources") return reply;
    const known = withThings(this.#components.indexed(call, reply), this.#trainings.indexed(call));
    return this.#notebooks.indexed(call, known);
  }

  /** Resolves when every endpoint has come as far as it can. */
  async settled(): Promise<void> {
    await this.#endpoints.settled();
    await this.#components.settled();
    await this.#notebooks.settled();
    await this.#jobs.settled();
  }

  async stop(): Promise<void> {
    this.#jobs.stop();
    await this.#trainings.stop();
    await this.#components.stop();
    await this.#notebooks.stop();
    await this.#endpoints.stop();
  }

  async #checkDeployment(call: ApiRequest): Promise<void> {
    const { moto, faults } = this.#parts;
    const variants = await moto.ask<HostedVariant[]>("variants", {
      region: call.region,
      config: call.parameters["EndpointConfigName"],
    });
    const deployment = call.parameters["DeploymentConfig"] as DeploymentConfig | undefined;
    checkDeploymentConfig(deployment, variants[0]?.InitialInstanceCount ?? 1);
    if (call.operation === "CreateEndpoint") {
      checkEndpointQuota(faults, variants);
      return;
    }
    const found = await findEndpoint(moto, call.region, String(call.parameters["EndpointName"]));
    if (found !== undefined) checkConversion(found.variants, variants);
  }
}
