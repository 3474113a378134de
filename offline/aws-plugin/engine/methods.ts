import type * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import type { Autonaming } from "./auto-name.ts";
import type { InputFailure } from "./check.ts";
import type { Change } from "./diff.ts";
import { AwsProvider, PartialFailure } from "./provider.ts";
import { readSettings, settingNames } from "./settings.ts";
import { emptyPb, providerPb } from "./stubs.ts";
import { receive, send, type Properties } from "./wire.ts";

/** Secret besides those that the program marked. */
const alwaysSecret: ReadonlySet<string> = new Set<string>();

function failures(found: readonly InputFailure[]): pb.CheckFailure[] {
  return found.map(({ property, reason }) =>
    new providerPb.CheckFailure().setProperty(property).setReason(reason),
  );
}

function autonaming(request: pb.CheckRequest): Autonaming | undefined {
  const options = request.getAutonaming();
  if (options === undefined) return undefined;
  const mode = (["propose", "enforce", "disable"] as const)[options.getMode()];
  return { name: options.getProposedName(), mode };
}

function kindOf({ kind, replace }: Change): pb.PropertyDiff.Kind {
  const { Kind } = providerPb.PropertyDiff;
  switch (kind) {
    case "add":
      return replace ? Kind.ADD_REPLACE : Kind.ADD;
    case "delete":
      return replace ? Kind.DELETE_REPLACE : Kind.DELETE;
    case "update":
      return replace ? Kind.UPDATE_REPLACE : Kind.UPDATE;
  }
}

function topLevel(path: string): string {
  return /^[A-Za-z_]\w*/.exec(path)?.[0] ?? path;
}

/** The methods of `pulumirpc.ResourceProvider`, from messages to the provider and back. */
export class ProviderMethods {
  readonly #log: (urn: string, message: string, severity: "info" | "warning") => void;
  #provider: AwsProvider | undefined;

  constructor(log: (urn: string, message: string, severity: "info" | "warning") => void) {
    this.#log = log;
  }

  checkConfig(request: pb.CheckRequest): pb.CheckResponse {
    const { values } = receive(request.getNews());
    const strange = Object.keys(values).filter((key) => !settingNames.includes(key));
    const response = new providerPb.CheckResponse().setInputs(request.getNews());
    const known = settingNames.join(", ");
    const found = strange.map((property) => ({
      property,
      reason: `unknown provider setting; this plugin takes ${known}`,
    }));
    return response.setFailuresList(failures(found));
  }

  diffConfig(request: pb.DiffRequest): pb.DiffResponse {
    const { values: olds } = receive(request.getOldInputs() ?? request.getOlds());
    const { values: news } = receive(request.getNews());
    const keys = settingNames.filter(
      (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]),
    );
    const { DIFF_SOME, DIFF_NONE } = providerPb.DiffResponse.DiffChanges;
    return new providerPb.DiffResponse()
      .setChanges(keys.length > 0 ? DIFF_SOME : DIFF_NONE)
      .setDiffsList(keys);
  }

  configure(request: pb.ConfigureRequest): pb.ConfigureResponse {
    const variables: Record<string, unknown> = {};
    request.getVariablesMap().forEach((value, key) => {
      variables[key.split(":").at(-1) ?? key] = value;
    });
    const config: Properties = { ...variables, ...receive(request.getArgs()).values };
    if (config["accessKey"] !== undefined) {
      const advice =
        "Keys in the provider's configuration end up in the state; use the environment or a profile.";
      this.#log("", advice, "warning");
    }
    this.#provider?.cancel();
    this.#provider = new AwsProvider(readSettings(config, process.env), (urn, message) => {
      this.#log(urn, message, "info");
    });
    return new providerPb.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
  }

  /** Asks every wait to end. */
  cancel(): void {
    this.#provider?.cancel();
  }

  async check(request: pb.CheckRequest): Promise<pb.CheckResponse> {
    const news = receive(request.getNews());
    const { values: olds } = receive(request.getOlds());
    const checked = await this.#configured().check(
      { urn: request.getUrn(), timeoutSeconds: 0 },
      olds,
      news.values,
      request.getRandomseed_asU8(),
      autonaming(request),
    );
    return new providerPb.CheckResponse()
      .setInputs(send(checked.inputs, news.secrets))
      .setFailuresList(failures(checked.failures));
  }

  async diff(request: pb.DiffRequest): Promise<pb.DiffResponse> {
    const outputs = receive(request.getOlds()).values;
    const inputs = request.hasOldInputs() ? receive(request.getOldInputs()).values : outputs;
    const news = receive(request.getNews()).values;
    const { changes, deleteBeforeReplace } = await this.#configured().diff(
      { urn: request.getUrn(), timeoutSeconds: 0 },
      { id: request.getId(), outputs, inputs },
      news,
    );
    const { DIFF_SOME, DIFF_NONE } = providerPb.DiffResponse.DiffChanges;
    const response = new providerPb.DiffResponse();
    response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE).setHasdetaileddiff(true);
    response.setDiffsList([...new Set(changes.map(({ path }) => topLevel(path)))]);
    const replaces = changes.filter(({ replace }) => replace);
    response.setReplacesList([...new Set(replaces.map(({ path }) => topLevel(path)))]);
    response.setDeletebeforereplace(deleteBeforeReplace && replaces.length > 0);
    for (const change of changes) {
      const detail = new providerPb.PropertyDiff().setKind(kindOf(change)).setInputdiff(true);
      response.getDetaileddiffMap().set(change.path, detail);
    }
    return response;
  }

  async create(request: pb.CreateRequest): Promise<pb.CreateResponse> {
    const { values, secrets } = receive(request.getProperties());
    const subject = { urn: request.getUrn(), timeoutSeconds: request.getTimeout() };
    const made = await this.#configured()
      .create(subject, values, request.getPreview())
      .catch((error: unknown) => {
        throw error instanceof PartialFailure ? new SecretFailure(error, secrets) : error;
      });
    return new providerPb.CreateResponse()
      .setId(made.id)
      .setProperties(send(made.outputs, new Set([...secrets, ...alwaysSecret])));
  }

  async read(request: pb.ReadRequest): Promise<pb.ReadResponse> {
    const state = receive(request.getProperties());
    const inputs = receive(request.getInputs());
    const secrets = new Set([...state.secrets, ...inputs.secrets]);
    const subject = { urn: request.getUrn(), timeoutSeconds: 0 };
    const old = { id: request.getId(), outputs: state.values, inputs: inputs.values };
    const found = await this.#configured().read(subject, old);
    const response = new providerPb.ReadResponse();
    if (found === undefined) return response;
    return response
      .setId(found.id)
      .setProperties(send(found.outputs, secrets))
      .setInputs(send(found.inputs, secrets));
  }

  async update(request: pb.UpdateRequest): Promise<pb.UpdateResponse> {
    const outputs = receive(request.getOlds()).values;
    const inputs = request.hasOldInputs() ? receive(request.getOldInputs()).values : outputs;
    const news = receive(request.getNews());
    const subject = { urn: request.getUrn(), timeoutSeconds: request.getTimeout() };
    const old = { id: request.getId(), outputs, inputs };
    const made = await this.#configured().update(subject, old, news.values, request.getPreview());
    return new providerPb.UpdateResponse().setProperties(send(made.outputs, news.secrets));
  }

  async delete(request: pb.DeleteRequest): Promise<Empty> {
    const outputs = receive(request.getProperties()).values;
    const subject = { urn: request.getUrn(), timeoutSeconds: request.getTimeout() };
    await this.#configured().delete(subject, { id: request.getId(), outputs, inputs: outputs });
    return new emptyPb.Empty();
  }

  async invoke(request: pb.InvokeRequest): Promise<pb.InvokeResponse> {
    const { values } = receive(request.getArgs());
    const answer = await this.#configured().invoke(request.getTok(), values);
    return new providerPb.InvokeResponse()
      .setReturn(send(answer.result, answer.secrets))
      .setFailuresList(failures(answer.failures));
  }

  #configured(): AwsProvider {
    if (this.#provider === undefined) throw new Error("the provider is not configured yet");
    return this.#provider;
  }
}

/** A partial failure with what in it is secret. */
export class SecretFailure extends Error {
  override readonly name = "SecretFailure";
  readonly failure: PartialFailure;
  readonly secrets: ReadonlySet<string>;

  constructor(failure: PartialFailure, secrets: ReadonlySet<string>) {
    super(failure.message, { cause: failure.cause });
    this.failure = failure;
    this.secrets = secrets;
  }
}
