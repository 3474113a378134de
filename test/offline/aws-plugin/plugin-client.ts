import * as grpc from "@grpc/grpc-js";
import type * as pb from "@pulumi/pulumi/proto/provider_pb.js";
import { startServer } from "../../../offline/aws-plugin/engine/server.ts";
import { providerPb, providerServices } from "../../../offline/aws-plugin/engine/stubs.ts";
import { receive, send, type Properties } from "../../../offline/aws-plugin/engine/wire.ts";

const methods = providerServices.ResourceProviderService;

/** A resource as an engine would keep it. */
export interface Kept {
  readonly token: string;
  readonly name: string;
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** A difference as an engine sees it. */
export interface SeenDiff {
  readonly some: boolean;
  readonly replaces: readonly string[];
  /** Kind by path: ADD, ADD_REPLACE, ... */
  readonly detailed: Readonly<Record<string, string>>;
}

function urn(token: string, name: string): string {
  return `urn:pulumi:test::plugin::${token}::${name}`;
}

/** The plugin over gRPC, as an engine drives it. */
export class PluginClient {
  readonly #client: grpc.Client;

  constructor(port: number) {
    this.#client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  }

  /** One call of the protocol. */
  call<Request, Response>(
    method: grpc.MethodDefinition<Request, Response>,
    request: Request,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error, response) => {
          if (error !== null) reject(error);
          else resolve(response!);
        },
      );
    });
  }

  async configure(config: Properties): Promise<pb.ConfigureResponse> {
    const request = new providerPb.ConfigureRequest().setArgs(send(config)).setAcceptsecrets(true);
    return this.call(methods.configure, request);
  }

  /** Checked inputs; throws every failure in one text. */
  async check(
    token: string,
    name: string,
    news: Properties,
    olds: Properties = {},
  ): Promise<Properties> {
    const request = new providerPb.CheckRequest()
      .setUrn(urn(token, name))
      .setOlds(send(olds))
      .setNews(send(news))
      .setRandomseed(crypto.getRandomValues(new Uint8Array(32)));
    const response = await this.call(methods.check, request);
    const failures = response.getFailuresList();
    if (failures.length > 0) {
      throw new Error(failures.map((one) => `${one.getProperty()}: ${one.getReason()}`).join("\n"));
    }
    return receive(response.getInputs()).values;
  }

  async preview(token: string, name: string, news: Properties): Promise<Properties> {
    const inputs = await this.check(token, name, news);
    const request = new providerPb.CreateRequest()
      .setUrn(urn(token, name))
      .setProperties(send(inputs))
      .setPreview(true);
    return receive((await this.call(methods.create, request)).getProperties()).values;
  }

  async create(token: string, name: string, news: Properties): Promise<Kept> {
    const inputs = await this.check(token, name, news);
    const request = new providerPb.CreateRequest()
      .setUrn(urn(token, name))
      .setProperties(send(inputs));
    const response = await this.call(methods.create, request);
    const outputs = receive(response.getProperties()).values;
    return { token, name, id: response.getId(), inputs, outputs };
  }

  async diff(old: Kept, news: Properties): Promise<SeenDiff> {
    const inputs = await this.check(old.token, old.name, news, old.inputs);
    const request = new providerPb.DiffRequest()
      .setUrn(urn(old.token, old.name))
      .setId(old.id)
      .setOlds(send(old.outputs))
      .setOldInputs(send(old.inputs))
      .setNews(send(inputs));
    const response = await this.call(methods.diff, request);
    const detailed: Record<string, string> = {};
    response.getDetaileddiffMap().forEach((one: pb.PropertyDiff, path: string) => {
      const kinds = Object.entries(providerPb.PropertyDiff.Kind);
      detailed[path] = kinds.find(([, kind]) => kind === one.getKind())?.[0] ?? "?";
    });
    return {
      some: response.getChanges() === providerPb.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: response.getReplacesList(),
      detailed,
    };
  }

  async update(old: Kept, news: Properties, preview = false): Promise<Kept> {
    const inputs = await this.check(old.token, old.name, news, old.inputs);
    const request = new providerPb.UpdateRequest()
      .setUrn(urn(old.token, old.name))
      .setId(old.id)
      .setOlds(send(old.outputs))
      .setOldInputs(send(old.inputs))
      .setNews(send(inputs))
      .setPreview(preview);
    const response = await this.call(methods.update, request);
    return { ...old, inputs, outputs: receive(response.getProperties()).values };
  }

  /** The resource as it is; without what an engine knows of it, as in an import. Undefined when it is gone. */
  async read(old: Kept): Promise<Kept | undefined> {
    const request = new providerPb.ReadRequest()
      .setUrn(urn(old.token, old.name))
      .setId(old.id)
      .setProperties(send(old.outputs))
      .setInputs(send(old.inputs));
    const response = await this.call(methods.read, request);
    if (response.getId() === "") return undefined;
    const outputs = receive(response.getProperties()).values;
    return { ...old, id: response.getId(), inputs: receive(response.getInputs()).values, outputs };
  }

  async delete(old: Kept): Promise<void> {
    const request = new providerPb.DeleteRequest()
      .setUrn(urn(old.token, old.name))
      .setId(old.id)
      .setProperties(send(old.outputs))
      .setOldInputs(send(old.inputs));
    await this.call(methods.delete, request);
  }

  async invoke(token: string, args: Properties): Promise<Properties> {
    const request = new providerPb.InvokeRequest().setTok(token).setArgs(send(args));
    const response = await this.call(methods.invoke, request);
    const failures = response.getFailuresList();
    if (failures.length > 0) throw new Error(failures.map((one) => one.getReason()).join("\n"));
    return receive(response.getReturn()).values;
  }

  close(): void {
    this.#client.close();
  }
}

/** A plugin in this process, served and driven over gRPC. */
export async function startPlugin(): Promise<{ client: PluginClient; stop: () => void }> {
  const server = await startServer(() => undefined);
  const client = new PluginClient(server.port);
  return {
    client,
    stop: () => {
      client.close();
      server.stop();
    },
  };
}
