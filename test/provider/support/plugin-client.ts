import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import {
  engineServices,
  emptyPb,
  providerPb,
  providerServices,
} from "../../../provider/plugin/stubs.ts";
import { receive, send, type Properties } from "../../../provider/plugin/values.ts";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import { end } from "./sshd.ts";

const executable = join(import.meta.dirname, "..", "..", "..", "provider", "pulumi-resource-berth");

/** The plugin as an engine sees it: a child process that is spoken to over gRPC. */
export class PluginClient {
  readonly child: ChildProcess;
  /** What it wrote to the engine's log. */
  readonly log: string[];
  readonly #client: grpc.Client;
  readonly #engine: grpc.Server;

  private constructor(
    child: ChildProcess,
    client: grpc.Client,
    engine: grpc.Server,
    log: string[],
  ) {
    this.child = child;
    this.#client = client;
    this.#engine = engine;
    this.log = log;
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<PluginClient> {
    const log: string[] = [];
    const engine = new grpc.Server();
    engine.addService(engineServices.EngineService, {
      log: (
        call: grpc.ServerUnaryCall<LogRequest, unknown>,
        callback: grpc.sendUnaryData<unknown>,
      ) => {
        log.push(call.request.getMessage());
        callback(null, new emptyPb.Empty());
      },
    });
    const enginePort = await new Promise<number>((resolve, reject) => {
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
    const child = spawn(executable, [`127.0.0.1:${String(enginePort)}`], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const port = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (chunk: Buffer) => {
        resolve(chunk.toString().trim());
      });
      child.once("exit", (code) => {
        reject(new Error(`the plugin ended with ${String(code)}`));
      });
    });
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return new PluginClient(child, client, engine, log);
  }

  #call<Request, Response>(
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
          if (error !== null) reject(new Error(error.details));
          else resolve(response as Response);
        },
      );
    });
  }

  #urn(type: string): string {
    return `urn:pulumi:dev::berth::berth:index:${type}::it`;
  }

  /** Failures of a Check as `property: reason`. */
  async check(type: string, news: Properties): Promise<readonly string[]> {
    const request = new providerPb.CheckRequest().setUrn(this.#urn(type)).setNews(send(news));
    const response = await this.#call(providerServices.ResourceProviderService.check, request);
    return response
      .getFailuresList()
      .map((failure) => `${failure.getProperty()}: ${failure.getReason()}`);
  }

  async create(
    type: string,
    inputs: Properties,
    options: { preview?: boolean; secrets?: readonly string[] } = {},
  ): Promise<{ id: string; outputs: Properties; secrets: ReadonlySet<string> }> {
    const request = new providerPb.CreateRequest()
      .setUrn(this.#urn(type))
      .setPreview(options.preview === true)
      .setProperties(send(inputs, new Set(options.secrets)));
    const response = await this.#call(providerServices.ResourceProviderService.create, request);
    const { values, secrets } = receive(response.getProperties());
    return { id: response.getId(), outputs: values, secrets };
  }

  async diff(
    type: string,
    olds: Properties,
    news: Properties,
  ): Promise<{ changes: boolean; keys: readonly string[]; replaces: readonly string[] }> {
    const request = new providerPb.DiffRequest()
      .setUrn(this.#urn(type))
      .setOlds(send(olds))
      .setNews(send(news));
    const response = await this.#call(providerServices.ResourceProviderService.diff, request);
    const { DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
    return {
      changes: response.getChanges() === DIFF_SOME,
      keys: response.getDiffsList(),
      replaces: response.getReplacesList(),
    };
  }

  /** The state as it is; undefined when the resource is gone. */
  async read(type: string, id: string, state: Properties): Promise<Properties | undefined> {
    const request = new providerPb.ReadRequest()
      .setUrn(this.#urn(type))
      .setId(id)
      .setProperties(send(state));
    const response = await this.#call(providerServices.ResourceProviderService.read, request);
    return response.getId() === "" ? undefined : receive(response.getProperties()).values;
  }

  async update(type: string, id: string, olds: Properties, news: Properties): Promise<Properties> {
    const request = new providerPb.UpdateRequest()
      .setUrn(this.#urn(type))
      .setId(id)
      .setOlds(send(olds))
      .setNews(send(news));
    const response = await this.#call(providerServices.ResourceProviderService.update, request);
    return receive(response.getProperties()).values;
  }

  async delete(type: string, id: string, state: Properties): Promise<void> {
    const request = new providerPb.DeleteRequest()
      .setUrn(this.#urn(type))
      .setId(id)
      .setProperties(send(state));
    await this.#call(providerServices.ResourceProviderService.delete, request);
  }

  async stop(): Promise<void> {
    this.#client.close();
    this.#engine.forceShutdown();
    await end(this.child);
  }
}
