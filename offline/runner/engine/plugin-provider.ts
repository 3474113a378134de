import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import type * as providerTypes from "@pulumi/pulumi/proto/provider_pb.js";

import { callUnary } from "./grpc.ts";
import { diffFromResponse, failuresFromList } from "./plugin-answers.ts";
import { PluginCalls } from "./plugin-calls.ts";
import { configureRequest } from "./plugin-configure.ts";
import type { Plugin } from "./plugin-host.ts";
import { annotateSecrets } from "./property-diff.ts";
import { fromStruct, keepAll, toStruct } from "./property-marshal.ts";
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

/** A provider plugin, driven over gRPC. */
export class PluginProvider implements ResourceProvider {
  readonly plugin: Plugin;
  readonly #calls: PluginCalls;

  constructor(plugin: Plugin) {
    this.plugin = plugin;
    this.#calls = new PluginCalls(plugin);
  }

  /** Validates the provider's own settings; a plugin without this method takes them as they are. */
  async checkConfig(urn: string, olds: PropertyMap, news: PropertyMap): Promise<Checked> {
    const request = new providerPb.CheckRequest();
    request.setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request.setOlds(toStruct(olds, keepAll)).setNews(toStruct(news, keepAll));
    const purpose = { doing: "checking the settings of", urn };
    const response = await this.#calls.callIfThere(methods.checkConfig, request, purpose);
    if (response === undefined) return { inputs: news, failures: [] };
    return {
      inputs: annotateSecrets(fromStruct(response.getInputs()), news),
      failures: failuresFromList(response.getFailuresList()),
    };
  }

  /** Compares the provider's own settings; a plugin without this method answers unknown. */
  async diffConfig(subject: Subject, old: OldState, news: PropertyMap): Promise<Diff> {
    const request = diffRequest(subject, old, news, [], keepAll);
    const purpose = { doing: "comparing the settings of", urn: subject.urn };
    const response = await this.#calls.callIfThere(methods.diffConfig, request, purpose);
    return diffFromResponse(response ?? new providerPb.DiffResponse());
  }

  /** Hands the settings over. With unknowns among them the plugin stays unconfigured and is not called. */
  async configure(subject: Subject, inputs: PropertyMap): Promise<void> {
    if (containsUnknown(inputs)) {
      this.#calls.markUnknown();
      return;
    }
    const request = configureRequest(this.plugin.name, subject, inputs);
    const purpose = { doing: "configuring", urn: subject.urn };
    const response = await this.#calls.call(methods.configure, request, purpose);
    this.#calls.protocol = {
      marshal: { secrets: response.getAcceptsecrets(), resources: response.getAcceptresources() },
      supportsPreview: response.getSupportspreview(),
      known: true,
    };
  }

  async check(subject: Subject, olds: PropertyMap, news: PropertyMap): Promise<Checked> {
    if (!this.#calls.protocol.known) return { inputs: news, failures: [] };
    const { urn } = subject;
    const request = new providerPb.CheckRequest();
    request.setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request.setOlds(this.#calls.struct(olds)).setNews(this.#calls.struct(news));
    request.setRandomseed(crypto.getRandomValues(new Uint8Array(32)));
    const response = await this.#calls.call(methods.check, request, { doing: "checking", urn });
    return {
      inputs: this.#calls.annotate(fromStruct(response.getInputs()), news),
      failures: failuresFromList(response.getFailuresList()),
    };
  }

  async diff(
    subject: Subject,
    old: OldState,
    news: PropertyMap,
    ignore: readonly string[],
  ): Promise<Diff> {
    if (!this.#calls.protocol.known) {
      throw new DiffUnavailableError(
        "The provider of this resource has settings that are not known in a preview; the preview may not show what the update will do.",
      );
    }
    const request = diffRequest(subject, old, news, ignore, this.#calls.protocol.marshal);
    return diffFromResponse(
      await this.#calls.call(methods.diff, request, { doing: "comparing", urn: subject.urn }),
    );
  }

  async create(subject: Subject, inputs: PropertyMap, operation: Operation): Promise<Applied> {
    const skipped = this.#calls.skippedInPreview(inputs, operation);
    if (skipped !== undefined) return { id: "", outputs: skipped };
    const { urn } = subject;
    const request = new providerPb.CreateRequest();
    request
      .setUrn(urn)
      .setName(urnName(urn))
      .setType(urnType(urn))
      .setProperties(this.#calls.struct(inputs));
    request.setTimeout(operation.timeout ?? 0).setPreview(operation.preview);
    const applied = await this.#calls.apply(
      methods.create,
      request,
      { doing: "creating", urn },
      operation,
    );
    const outputs = this.#calls.annotate(applied.outputs, inputs);
    if (applied.id === "" && !operation.preview) {
      throw this.#calls.badAnswer({ doing: "creating", urn }, "it gave no id");
    }
    return {
      ...applied,
      outputs: this.#calls.known(outputs, operation.preview, { doing: "creating", urn }),
    };
  }

  async read(
    subject: Subject,
    state: OldState,
    operation: Operation,
  ): Promise<ReadState | undefined> {
    if (!this.#calls.protocol.known) return { id: subject.id, outputs: {}, inputs: {} };
    const { urn, id } = subject;
    const purpose = { doing: "reading", urn };
    const request = new providerPb.ReadRequest();
    request.setId(id).setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request
      .setProperties(this.#calls.struct(state.outputs))
      .setInputs(this.#calls.struct(state.inputs));
    try {
      const limit = this.#calls.limit(operation, timeouts().query);
      const response = await callUnary(this.plugin.client, methods.read, request, limit);
      if (response.getId() === "") return undefined;
      const outputs = this.#calls.known(fromStruct(response.getProperties()), false, purpose);
      const inputs = response.hasInputs() ? fromStruct(response.getInputs()) : undefined;
      return {
        id: response.getId(),
        outputs: this.#calls.annotate(outputs, state.outputs),
        inputs: inputs === undefined ? undefined : this.#calls.annotate(inputs, state.inputs),
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
    const skipped = this.#calls.skippedInPreview(news, change);
    if (skipped !== undefined) return { id: subject.id, outputs: skipped };
    const { urn, id } = subject;
    const request = new providerPb.UpdateRequest();
    request.setId(id).setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
    request
      .setOlds(this.#calls.struct(old.outputs))
      .setOldInputs(this.#calls.struct(old.inputs))
      .setNews(this.#calls.struct(news));
    request
      .setTimeout(change.timeout ?? 0)
      .setPreview(change.preview)
      .setIgnorechangesList([...change.ignoreChanges]);
    const purpose = { doing: "updating", urn };
    const applied = await this.#calls.apply(methods.update, request, purpose, change);
    return {
      ...applied,
      id,
      outputs: this.#calls.known(
        this.#calls.annotate(applied.outputs, news),
        change.preview,
        purpose,
      ),
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
    request
      .setProperties(this.#calls.struct(old.outputs))
      .setOldInputs(this.#calls.struct(old.inputs));
    await this.#calls.call(
      methods.delete,
      request,
      { doing: "deleting", urn },
      this.#calls.limit(operation),
    );
  }

  async invoke(token: string, args: PropertyMap, preview: boolean): Promise<Invoked> {
    if (!this.#calls.protocol.known) return { result: {}, failures: [], unknown: true };
    const request = new providerPb.InvokeRequest()
      .setTok(token)
      .setArgs(this.#calls.struct(args))
      .setPreview(preview);
    const response = await this.#calls.call(methods.invoke, request, {
      doing: `calling ${token}`,
      urn: "",
    });
    return {
      result: fromStruct(response.getReturn()),
      failures: failuresFromList(response.getFailuresList()),
    };
  }
}

function diffRequest(
  { urn, id }: Subject,
  old: OldState,
  news: PropertyMap,
  ignoreChanges: readonly string[],
  marshal: MarshalOptions,
): providerTypes.DiffRequest {
  const request = new providerPb.DiffRequest();
  request.setId(id).setUrn(urn).setName(urnName(urn)).setType(urnType(urn));
  request.setOlds(toStruct(old.outputs, marshal)).setOldInputs(toStruct(old.inputs, marshal));
  return request.setNews(toStruct(news, marshal)).setIgnorechangesList([...ignoreChanges]);
}
