import { status } from "@grpc/grpc-js";
import type * as grpc from "@grpc/grpc-js";
import type * as structTypes from "google-protobuf/google/protobuf/struct_pb.js";

import { callUnary, isServiceError } from "./grpc.ts";
import type { Plugin } from "./plugin-host.ts";
import { annotateSecrets } from "./property-diff.ts";
import { fromStruct, toStruct } from "./property-marshal.ts";
import type { MarshalOptions } from "./property-marshal.ts";
import { containsUnknown } from "./property-value.ts";
import type { PropertyMap } from "./property-value.ts";
import { explainCallError, partialFailure } from "./provider-error.ts";
import type { CallPurpose } from "./provider-error.ts";
import type { Applied, Operation } from "./provider.ts";
import { timeouts } from "./timeouts.ts";

/** What a plugin said of itself when it was configured. */
export interface Protocol {
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

/** An answer with a resource in it; an update's has no id. */
interface ResourceAnswer {
  getId?(): string;
  getProperties(): structTypes.Struct | undefined;
}

/** The calls to one plugin, in the form that it understands, with limits and errors that say what was going on. */
export class PluginCalls {
  readonly #plugin: Plugin;
  protocol: Protocol = unconfigured;

  constructor(plugin: Plugin) {
    this.#plugin = plugin;
  }

  /** From now on the plugin is not called, since its settings are not known. */
  markUnknown(): void {
    this.protocol = { ...unconfigured, known: false };
  }

  /** What a preview gives when the plugin cannot take part in it; undefined when it can, or outside of previews. */
  skippedInPreview(inputs: PropertyMap, operation: Operation): PropertyMap | undefined {
    if (!operation.preview) return undefined;
    if (!this.protocol.known) return {};
    return this.protocol.supportsPreview ? undefined : inputs;
  }

  /** A map as the plugin understands it. */
  struct(map: PropertyMap): structTypes.Struct {
    return toStruct(map, this.protocol.marshal);
  }

  /** Outputs with the secrets of the inputs, where the plugin did not get to know them. */
  annotate(outputs: PropertyMap, inputs: PropertyMap): PropertyMap {
    return this.protocol.marshal.secrets ? outputs : annotateSecrets(outputs, inputs);
  }

  /** The outputs, if all of them are known or may be unknown. */
  known(outputs: PropertyMap, preview: boolean, purpose: CallPurpose): PropertyMap {
    if (preview || !containsUnknown(outputs)) return outputs;
    throw this.badAnswer(purpose, "it gave an unknown value outside of a preview");
  }

  /** The error of an answer that makes no sense. */
  badAnswer(purpose: CallPurpose, why: string): Error {
    return explainCallError(new Error(why), this.#plugin, purpose, 0);
  }

  /** The limit of an operation in seconds. */
  limit(operation: Operation, standard: number = timeouts().operation): number {
    const { timeout } = operation;
    return timeout === undefined || timeout === 0 ? standard : timeout + timeouts().grace;
  }

  /** Calls a method. */
  async call<Request, Response>(
    method: grpc.MethodDefinition<Request, Response>,
    request: Request,
    purpose: CallPurpose,
    limit: number = timeouts().query,
  ): Promise<Response> {
    try {
      return await callUnary(this.#plugin.client, method, request, limit);
    } catch (error) {
      throw explainCallError(error, this.#plugin, purpose, limit);
    }
  }

  /** Calls a method that a plugin may lack; undefined where it does. */
  async callIfThere<Request, Response>(
    method: grpc.MethodDefinition<Request, Response>,
    request: Request,
    purpose: CallPurpose,
  ): Promise<Response | undefined> {
    try {
      return await callUnary(this.#plugin.client, method, request, timeouts().query);
    } catch (error) {
      if (isServiceError(error) && error.code === status.UNIMPLEMENTED) return undefined;
      throw explainCallError(error, this.#plugin, purpose, timeouts().query);
    }
  }

  /** Calls a method that makes or changes a resource; a partial failure is an answer too. */
  async apply<Request, Response extends ResourceAnswer>(
    method: grpc.MethodDefinition<Request, Response>,
    request: Request,
    purpose: CallPurpose,
    operation: Operation,
  ): Promise<Applied> {
    const limit = this.limit(operation);
    try {
      const response = await callUnary(this.#plugin.client, method, request, limit);
      return { id: response.getId?.() ?? "", outputs: fromStruct(response.getProperties()) };
    } catch (error) {
      const partial = partialFailure(error);
      if (partial === undefined) throw explainCallError(error, this.#plugin, purpose, limit);
      const { id, outputs, reasons, message } = partial;
      return { id, outputs, initErrors: reasons, failure: message };
    }
  }
}
