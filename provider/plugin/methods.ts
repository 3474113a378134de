import type * as provider from "@pulumi/pulumi/proto/provider_pb.js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { checkInputs } from "./check.ts";
import type { EngineLog } from "./engine-log.ts";
import type { Operation, ResourceType } from "./resource-type.ts";
import { emptyPb, providerPb } from "./stubs.ts";
import { changedKeys, hasUnknown, receive, send, unknown, type Properties } from "./values.ts";

/** The type token in a URN: `urn:pulumi:stack::project::parent$type::name`. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function pick(keys: readonly string[], from: Properties): Properties {
  return Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]]));
}

/** The provider protocol's methods over a table of resource types. */
export class PluginMethods {
  readonly #types: ReadonlyMap<string, ResourceType>;
  readonly #log: EngineLog;
  readonly #abort = new AbortController();

  constructor(types: ReadonlyMap<string, ResourceType>, log: EngineLog) {
    this.#types = types;
    this.#log = log;
  }

  /** Asks every operation to end soon. */
  cancel(): void {
    this.#abort.abort();
  }

  check(request: provider.CheckRequest): provider.CheckResponse {
    const type = this.#type(request.getUrn());
    const news = receive(request.getNews());
    const response = new providerPb.CheckResponse();
    response.setInputs(request.getNews());
    for (const failure of checkInputs(type.inputs, news.values)) {
      const item = new providerPb.CheckFailure();
      response.addFailures(item.setProperty(failure.property).setReason(failure.reason));
    }
    return response;
  }

  diff(request: provider.DiffRequest): provider.DiffResponse {
    const type = this.#type(request.getUrn());
    const { values: olds } = receive(request.getOlds());
    const { values: news } = receive(request.getNews());
    const changed = changedKeys(Object.keys(type.inputs.shape), olds, news);
    const repair = type.needsRepair?.(olds) === true;
    const some = changed.length > 0 || repair;
    const { DIFF_SOME, DIFF_NONE } = providerPb.DiffResponse.DiffChanges;
    const response = new providerPb.DiffResponse();
    response.setChanges(some ? DIFF_SOME : DIFF_NONE);
    response.setDiffsList(changed);
    response.setReplacesList(changed.filter((key) => type.replaceOn.includes(key)));
    return response;
  }

  async create(request: provider.CreateRequest): Promise<provider.CreateResponse> {
    const type = this.#type(request.getUrn());
    const inputs = receive(request.getProperties());
    const response = new providerPb.CreateResponse();
    const secrets = this.#secrets(type, inputs.secrets);
    if (request.getPreview()) {
      const outputs = { ...inputs.values, ...this.#notYet(type) };
      return response.setProperties(send(outputs, secrets));
    }
    const operation = this.#operation(request.getUrn(), request.getTimeout());
    const { id, outputs } = await type.create(inputs.values, operation);
    return response.setId(id).setProperties(send(outputs, secrets));
  }

  async read(request: provider.ReadRequest): Promise<provider.ReadResponse> {
    const type = this.#type(request.getUrn());
    const state = receive(request.getProperties());
    const response = new providerPb.ReadResponse();
    if (Object.keys(state.values).length === 0) {
      throw new Error(`${typeOf(request.getUrn())} cannot be imported: it exists only in a stack`);
    }
    const operation = this.#operation(request.getUrn(), 0);
    const found = await type.read(request.getId(), state.values, operation);
    if (found === undefined) return response;
    const secrets = this.#secrets(type, state.secrets);
    const inputs = pick(Object.keys(type.inputs.shape), found);
    return response
      .setId(request.getId())
      .setProperties(send(found, secrets))
      .setInputs(send(inputs, secrets));
  }

  async update(request: provider.UpdateRequest): Promise<provider.UpdateResponse> {
    const type = this.#type(request.getUrn());
    const { values: olds } = receive(request.getOlds());
    const news = receive(request.getNews());
    const secrets = this.#secrets(type, news.secrets);
    const response = new providerPb.UpdateResponse();
    if (request.getPreview()) {
      const outputs = {
        ...pick(type.computed, olds),
        ...news.values,
        ...this.#changing(type, olds, news.values),
      };
      return response.setProperties(send(outputs, secrets));
    }
    const operation = this.#operation(request.getUrn(), request.getTimeout());
    const outputs = await type.update(request.getId(), olds, news.values, operation);
    return response.setProperties(send(outputs, secrets));
  }

  async delete(request: provider.DeleteRequest): Promise<Empty> {
    const type = this.#type(request.getUrn());
    const state = receive(request.getProperties());
    const operation = this.#operation(request.getUrn(), request.getTimeout());
    await type.delete(request.getId(), state.values, operation);
    return new emptyPb.Empty();
  }

  #type(urn: string): ResourceType {
    const token = typeOf(urn);
    const type = this.#types.get(token);
    if (type === undefined) {
      throw new Error(
        `unknown resource type ${token}; this plugin has ${[...this.#types.keys()].join(", ")}`,
      );
    }
    return type;
  }

  #operation(urn: string, timeoutSeconds: number): Operation {
    return {
      urn,
      timeoutSeconds,
      signal: this.#abort.signal,
      log: (message, severity = "info") => {
        this.#log.write(urn, message, severity);
      },
    };
  }

  #secrets(type: ResourceType, marked: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...marked, ...(type.secrets ?? [])]);
  }

  #notYet(type: ResourceType): Properties {
    return Object.fromEntries(type.computed.map((key) => [key, unknown]));
  }

  /** In the preview of an update, outputs are unknown only when something of the host they come from changes. */
  #changing(type: ResourceType, olds: Properties, news: Properties): Properties {
    const changed = changedKeys(Object.keys(type.inputs.shape), olds, news);
    return changed.length > 0 || hasUnknown(news) ? this.#notYet(type) : {};
  }
}
