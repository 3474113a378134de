import type * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import type * as providerTypes from "@pulumi/pulumi/proto/provider_pb.js";

import { callUnary } from "./grpc.ts";
import type { Plugin } from "./plugin-host.ts";
import { diffFromResponse, failuresFromList } from "./plugin-answers.ts";
import { configureRequest } from "./plugin-configure.ts";
import { annotateSecrets } from "./property-diff.ts";
import { fromStruct, toStruct } from "./property-marshal.ts";
import type { MarshalOptions } from "./property-marshal.ts";
import { containsUnknown } from "./property-value.ts";
import type { PropertyMap } from "./property-value.ts";
import { explainCallError, partialFailure } from "./provider-error.ts";
import { DiffUnavailableError } from "./provider.ts";
import type {
  Applied,
  Checked,
  Diff,
  Invoked,
  OldState,
  Operation,
  ReadState,
  ResourceProvider,
  Subject,
  UpdateOperation,
} from "./provider.ts";
import { timeouts } from "./timeouts.ts";
import { urnName, urnType } from "./urn.ts";

const methods = services.ResourceProviderService;

/** What a plugin said of itself when it was configured. */
interface Protocol {
  readonly marshal: MarshalOptions;
  readonly supportsPreview: boolean;
  /** False while its settings are not known: then it is not called. */
  readonly known: boolean;
}

/** What is known of a plugin before it is configured. */
const unconfigured: Protocol = {
  marshal: { secrets: false, resources: false },
  supportsPreview: false,
  known: true,
};

/** A provider plugin, driven over gRPC. */
export class PluginProvider implements ResourceProvider {
  readonly plugin: Plugin;
  #protocol: Protocol = unconfigured;

  constructor(plugin: Plugin) {
    this.plugin = plugin;
  }

  /** Validates the provider's own settings; a plugin without this method takes them as they are. */
  async checkConfig(urn: string, olds: PropertyMap, news: PropertyMap): Promise<Checked> {
    const request = new providerPb.CheckRequest();
    request.setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    const all = { secrets: true, resources: true };
    request.setOlds(toStruct(olds, all)).setNews(toStruct(news, all));
    try {
      const response = await callUnary(
        this.plugin.client,
        methods.checkConfig,
        request,
        timeouts().query,
      );
      return {
        inputs: annotateSecrets(fromStruct(response.getInputs()), news),
        failures: failuresFromList(response.getFailuresList()),
      };
    } catch (error) {
      if (isUnimplemented(error)) return { inputs: news, failures: [] };
      throw explainCallError(
        error,
        this.plugin,
        { doing: "checking the settings of", urn },
        timeouts().query,
      );
    }
  }

  /** Compares the provider's own settings; a plugin without this method answers unknown. */
  async diffConfig(subject: Subject, old: OldState, news: PropertyMap): Promise<Diff> {
    const request = this.#diffRequest(subject, old, news, [], { secrets: true, resources: true });
    try {
      return diffFromResponse(
        await callUnary(this.plugin.client, methods.diffConfig, request, timeouts().query),
      );
    } catch (error) {
      if (isUnimplemented(error)) return diffFromResponse(new providerPb.DiffResponse());
      throw explainCallError(
        error,
        this.plugin,
        { doing: "comparing the settings of", urn: subject.urn },
        timeouts().query,
      );
    }
  }

  /** Hands the settings over. With unknowns among them the plugin stays unconfigured and is not called. */
  async configure(subject: Subject, inputs: PropertyMap): Promise<void> {
    if (containsUnknown(inputs)) {
      this.#protocol = { ...unconfigured, known: false };
      return;
    }
    const request = configureRequest(this.plugin.name, subject, inputs);
    const response = await this.#call(methods.configure, request, {
      doing: "configuring",
      urn: subject.urn,
    });
    this.#protocol = {
      marshal: { secrets: response.getAcceptsecrets(), resources: response.getAcceptresources() },
      supportsPreview: response.getSupportspreview(),
      known: true,
    };
  }

  async check(subject: Subject, olds: PropertyMap, news: PropertyMap): Promise<Checked> {
    if (!this.#protocol.known) return { inputs: news, failures: [] };
    const { urn } = subject;
    const request = new providerPb.CheckRequest();
    request.setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request.setOlds(this.#struct(olds)).setNews(this.#struct(news));
    request.setRandomseed(crypto.getRandomValues(new Uint8Array(32)));
    const response = await this.#call(methods.check, request, { doing: "checking", urn });
    return {
      inputs: this.#annotate(fromStruct(response.getInputs()), news),
      failures: failuresFromList(response.getFailuresList()),
    };
  }

  async diff(
    subject: Subject,
    old: OldState,
    news: PropertyMap,
    ignore: readonly string[],
  ): Promise<Diff> {
    if (!this.#protocol.known) {
      throw new DiffUnavailableError(
        "The provider of this resource has settings that are not known in a preview; the preview may not show what the update will do.",
      );
    }
    const request = this.#diffRequest(subject, old, news, ignore, this.#protocol.marshal);
    return diffFromResponse(
      await this.#call(methods.diff, request, { doing: "comparing", urn: subject.urn }),
    );
  }

  async create(subject: Subject, inputs: PropertyMap, operation: Operation): Promise<Applied> {
    const skipped = this.#skippedInPreview(inputs, operation);
    if (skipped !== undefined) return { id: "", outputs: skipped };
    const { urn } = subject;
    const request = new providerPb.CreateRequest();
    request
      .setUrn(urn)
      .setName(urnName(urn))
      .setType(urnType(urn))
      .setProperties(this.#struct(inputs));
    request.setTimeout(operation.timeout ?? 0).setPreview(operation.preview);
    const applied = await this.#apply(
      methods.create,
      request,
      { doing: "creating", urn },
      operation,
    );
    const outputs = this.#annotate(applied.outputs, inputs);
    if (applied.id === "" && !operation.preview) {
      throw this.#badAnswer({ doing: "creating", urn }, "it gave no id");
    }
    return {
      ...applied,
      outputs: this.#known(outputs, operation.preview, { doing: "creating", urn }),
    };
  }

  async read(
    subject: Subject,
    state: OldState,
    operation: Operation,
  ): Promise<ReadState | undefined> {
    if (!this.#protocol.known) return { id: subject.id, outputs: {}, inputs: {} };
    const { urn, id } = subject;
    const purpose = { doing: "reading", urn };
    const request = new providerPb.ReadRequest();
    request.setId(id).setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request.setProperties(this.#struct(state.outputs)).setInputs(this.#struct(state.inputs));
    try {
      const limit = this.#limit(operation, timeouts().query);
      const response = await callUnary(this.plugin.client, methods.read, request, limit);
      if (response.getId() === "") return undefined;
      const outputs = this.#known(fromStruct(response.getProperties()), false, purpose);
      const inputs = response.hasInputs() ? fromStruct(response.getInputs()) : undefined;
      return {
        id: response.getId(),
        outputs: this.#annotate(outputs, state.outputs),
        inputs: inputs === undefined ? undefined : this.#annotate(inputs, state.inputs),
      };
    } catch (error) {
      const partial = partialFailure(error);
      if (partial === undefined)
        throw explainCallError(error, this.plugin, purpose, timeouts().query);
      return {
        id: partial.id,
        outputs: partial.outputs,
        inputs: partial.inputs,
        initErrors: partial.reasons,
      };
    }
  }

  async update(
    subject: Subject,
    old: OldState,
    news: PropertyMap,
    change: UpdateOperation,
  ): Promise<Applied> {
    const skipped = this.#skippedInPreview(news, change);
    if (skipped !== undefined) return { id: subject.id, outputs: skipped };
    const { urn, id } = subject;
    const request = new providerPb.UpdateRequest();
    request.setId(id).setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request
      .setOlds(this.#struct(old.outputs))
      .setOldInputs(this.#struct(old.inputs))
      .setNews(this.#struct(news));
    request
      .setTimeout(change.timeout ?? 0)
      .setPreview(change.preview)
      .setIgnorechangesList([...change.ignoreChanges]);
    const purpose = { doing: "updating", urn };
    const applied = await this.#apply(methods.update, request, purpose, change);
    return {
      ...applied,
      id,
      outputs: this.#known(this.#annotate(applied.outputs, news), change.preview, purpose),
    };
  }

  async delete(subject: Subject, old: OldState, operation: Operation): Promise<void> {
    const { urn, id } = subject;
    const request = new providerPb.DeleteRequest();
    request
      .setId(id)
      .setUrn(urn)
      .setName(urnName(urn))
      .setType(urnType(urn))
      .setTimeout(operation.timeout ?? 0);
    request.setProperties(this.#struct(old.outputs)).setOldInputs(this.#struct(old.inputs));
    await this.#call(methods.delete, request, { doing: "deleting", urn }, this.#limit(operation));
  }

  async invoke(token: string, args: PropertyMap, preview: boolean): Promise<Invoked> {
    if (!this.#protocol.known) return { result: {}, failures: [] };
    const request = new providerPb.InvokeRequest()
      .setTok(token)
      .setArgs(this.#struct(args))
      .setPreview(preview);
    const response = await this.#call(methods.invoke, request, {
      doing: `calling ${token}`,
      urn: "",
    });
    return {
      result: fromStruct(response.getReturn()),
      failures: failuresFromList(response.getFailuresList()),
    };
  }

  #skippedInPreview(inputs: PropertyMap, operation: Operation): PropertyMap | undefined {
    if (!operation.preview) return undefined;
    if (!this.#protocol.known) return {};
    return this.#protocol.supportsPreview ? undefined : inputs;
  }

  #struct(map: PropertyMap): ReturnType<typeof toStruct> {
    return toStruct(map, this.#protocol.marshal);
  }

  #annotate(outputs: PropertyMap, inputs: PropertyMap): PropertyMap {
    return this.#protocol.marshal.secrets ? outputs : annotateSecrets(outputs, inputs);
  }

  #known(
    outputs: PropertyMap,
    preview: boolean,
    purpose: { doing: string; urn: string },
  ): PropertyMap {
    if (preview || !containsUnknown(outputs)) return outputs;
    throw this.#badAnswer(purpose, "it gave an unknown value outside of a preview");
  }

  #badAnswer(purpose: { doing: string; urn: string }, why: string): Error {
    return explainCallError(new Error(why), this.plugin, purpose, 0);
  }

  #limit(operation: Operation, standard: number = timeouts().operation): number {
    const { timeout } = operation;
    return timeout === undefined || timeout === 0 ? standard : timeout + timeouts().grace;
  }

  #diffRequest(
    subject: Subject,
    old: OldState,
    news: PropertyMap,
    ignoreChanges: readonly string[],
    marshal: MarshalOptions,
  ): providerTypes.DiffRequest {
    const { urn, id } = subject;
    const request = new providerPb.DiffRequest();
    request.setId(id).setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request.setOlds(toStruct(old.outputs, marshal)).setOldInputs(toStruct(old.inputs, marshal));
    return request.setNews(toStruct(news, marshal)).setIgnorechangesList([...ignoreChanges]);
  }

  async #apply<Request, Response extends Answer>(
    method: grpc.MethodDefinition<Request, Response>,
    request: Request,
    purpose: { doing: string; urn: string },
    operation: Operation,
  ): Promise<Applied> {
    const limit = this.#limit(operation);
    try {
      const response = await callUnary(this.plugin.client, method, request, limit);
      return { id: response.getId?.() ?? "", outputs: fromStruct(response.getProperties()) };
    } catch (error) {
      const partial = partialFailure(error);
      if (partial === undefined) throw explainCallError(error, this.plugin, purpose, limit);
      return {
        id: partial.id,
        outputs: partial.outputs,
        initErrors: partial.reasons,
        failure: partial.message,
      };
    }
  }

  async #call<Request, Response>(
    method: grpc.MethodDefinition<Request, Response>,
    request: Request,
    purpose: { doing: string; urn: string },
    limit: number = timeouts().query,
  ): Promise<Response> {
    try {
      return await callUnary(this.plugin.client, method, request, limit);
    } catch (error) {
      throw explainCallError(error, this.plugin, purpose, limit);
    }
  }
}

interface Answer {
  getId?(): string;
  getProperties(): Parameters<typeof fromStruct>[0];
}

function isUnimplemented(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === 12;
}
