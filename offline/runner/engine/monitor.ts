import { status } from "@grpc/grpc-js";
import type * as grpc from "@grpc/grpc-js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import services from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resourcePb from "@pulumi/pulumi/proto/resource_pb.js";
import type * as resourceTypes from "@pulumi/pulumi/proto/resource_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";

import type { ResourceState } from "../contract.ts";
import { StatusError, unaryHandler } from "./grpc.ts";
import { goalFromRequest } from "./goal-request.ts";
import { fromStruct, keepAll, toStruct } from "./property-marshal.ts";
import type { PropertyMap } from "./property-value.ts";
import type { Registrations } from "./registrations.ts";
import { withProviderVersion } from "./default-providers.ts";
import { isProviderType, tokenPackage } from "./urn.ts";

/** What a program may ask of this engine, by the names of `SupportsFeature`. */
const features: Readonly<Record<string, resourceTypes.ResourceMonitorFeature>> = {
  secrets: resourcePb.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_SECRETS,
  resourceReferences:
    resourcePb.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  outputValues: resourcePb.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
  aliasSpecs: resourcePb.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  deletedWith: resourcePb.ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
};

/** What the program is told of the update that it is part of. */
export interface DeploymentInfo {
  readonly project: string;
  readonly stack: string;
  readonly organization: string;
  readonly preview: boolean;
  readonly parallel: number;
  readonly config: ReadonlyMap<string, { readonly value: string; readonly secret: boolean }>;
  /** Folder that relative paths of assets are in. */
  readonly folder: string;
  /** Folder of Pulumi.yaml. */
  readonly root: string;
}

/** The program's end: called when it has registered all that it wants; the promise ends when the update is done. */
export type OnShutdown = () => Promise<void>;

/** The service by which the program registers resources (`pulumirpc.ResourceMonitor`). */
export class Monitor {
  readonly #info: DeploymentInfo;
  readonly #registrations: Registrations;
  readonly #onShutdown: OnShutdown;

  constructor(info: DeploymentInfo, registrations: Registrations, onShutdown: OnShutdown) {
    this.#info = info;
    this.#registrations = registrations;
    this.#onShutdown = onShutdown;
  }

  /** Adds the service to a server. */
  addTo(server: grpc.Server): void {
    server.addService(services.ResourceMonitorService, {
      getDeploymentInfo: unaryHandler(() => Promise.resolve(this.#deploymentInfo())),
      supportsFeature: unaryHandler((request: resourceTypes.SupportsFeatureRequest) =>
        Promise.resolve(
          new resourcePb.SupportsFeatureResponse().setHassupport(
            Object.hasOwn(features, request.getId()),
          ),
        ),
      ),
      registerResource: unaryHandler((request: resourceTypes.RegisterResourceRequest) =>
        this.#register(request),
      ),
      registerResourceOutputs: unaryHandler(
        (request: resourceTypes.RegisterResourceOutputsRequest) => this.#registerOutputs(request),
      ),
      readResource: unaryHandler((request: resourceTypes.ReadResourceRequest) =>
        this.#read(request),
      ),
      invoke: unaryHandler((request: resourceTypes.ResourceInvokeRequest) => this.#invoke(request)),
      signalAndWaitForShutdown: unaryHandler(async () => {
        await this.#onShutdown();
        return new emptyPb.Empty();
      }),
      ...refusals,
    });
  }

  #deploymentInfo(): resourceTypes.DeploymentInfo {
    const { project, stack, organization, preview, parallel, config } = this.#info;
    const info = new resourcePb.DeploymentInfo();
    info
      .setProject(project)
      .setStack(stack)
      .setOrganization(organization)
      .setDryrun(preview)
      .setParallel(parallel);
    for (const [key, { value }] of config) info.getConfigMap().set(key, value);
    info.setConfigsecretkeysList(
      [...config].filter(([, { secret }]) => secret).map(([key]) => key),
    );
    info.setSupportedfeaturesList(Object.values(features));
    return info;
  }

  async #register(
    request: resourceTypes.RegisterResourceRequest,
  ): Promise<resourceTypes.RegisterResourceResponse> {
    const type = request.getType();
    const managed = request.getCustom() && !isProviderType(type);
    const provider = managed
      ? await this.#registrations.providerFor(
          request.getProvider(),
          tokenPackage(type),
          request.getVersion(),
        )
      : "";
    const goal = goalFromRequest(request, provider, this.#info.folder, this.#info.root);
    const versioned = isProviderType(type)
      ? { ...goal, inputs: withProviderVersion(goal.inputs, request.getVersion()) }
      : goal;
    const registered = await this.#registrations.register(versioned);
    const response = new resourcePb.RegisterResourceResponse();
    if (!registered.ok) {
      return response
        .setUrn(registered.urn)
        .setResult(resourcePb.Result.FAIL)
        .setObject(toStruct({}, keepAll));
    }
    const { state } = registered;
    response
      .setUrn(state.urn)
      .setId(state.id ?? "")
      .setUnknown(registered.skipped);
    return response.setObject(toStruct(this.#visibleOutputs(state), keepAll));
  }

  /** A component says its outputs to itself; what is recorded may be of an earlier run. */
  #visibleOutputs(state: ResourceState): PropertyMap {
    return state.custom ? state.outputs : {};
  }

  async #registerOutputs(request: resourceTypes.RegisterResourceOutputsRequest): Promise<Message> {
    await this.#registrations.registerOutputs(request.getUrn(), fromStruct(request.getOutputs()));
    return new emptyPb.Empty();
  }

  async #read(
    request: resourceTypes.ReadResourceRequest,
  ): Promise<resourceTypes.ReadResourceResponse> {
    const type = request.getType();
    const provider = await this.#registrations.providerFor(
      request.getProvider(),
      tokenPackage(type),
      request.getVersion(),
    );
    const state = await this.#registrations.read({
      type,
      name: request.getName(),
      id: request.getId(),
      parent: request.getParent(),
      provider,
      inputs: fromStruct(request.getProperties()),
      dependencies: request.getDependenciesList(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    });
    const response = new resourcePb.ReadResourceResponse();
    return response.setUrn(state.urn).setProperties(toStruct(state.outputs, keepAll));
  }

  async #invoke(
    request: resourceTypes.ResourceInvokeRequest,
  ): Promise<resourceTypes.ResourceInvokeResponse> {
    const token = request.getTok();
    const provider = await this.#registrations.providerFor(
      request.getProvider(),
      tokenPackage(token),
      request.getVersion(),
    );
    const invoked = await this.#registrations.invoke(
      provider,
      token,
      fromStruct(request.getArgs()),
    );
    const response = new resourcePb.ResourceInvokeResponse().setReturn(
      toStruct(invoked.result, keepAll),
    );
    const failures = invoked.failures.map(({ property, reason }) =>
      new providerPb.CheckFailure().setProperty(property).setReason(reason),
    );
    return response.setFailuresList(failures).setUnknown(invoked.unknown === true);
  }
}

type Message = InstanceType<typeof emptyPb.Empty>;

/** What of the protocol this engine does not have, refused by name. */
const refusals = Object.fromEntries(
  [
    "call",
    "existsResource",
    "registerStackTransform",
    "registerStackInvokeTransform",
    "registerResourceHook",
    "registerErrorHook",
    "registerPackage",
  ].map((method) => [
    method,
    unaryHandler<unknown, unknown>(() =>
      Promise.reject(
        new StatusError(
          status.UNIMPLEMENTED,
          `ResourceMonitor.${method} is not supported by offline/runner`,
        ),
      ),
    ),
  ]),
);
