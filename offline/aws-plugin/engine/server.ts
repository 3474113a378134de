import * as grpc from "@grpc/grpc-js";
import { OfflineError } from "../../offline-error.ts";
import { engineLog, type LogLine } from "./engine-log.ts";
import { explain } from "./explain.ts";
import { ProviderMethods, SecretFailure } from "./methods.ts";
import { anyPb, emptyPb, pluginPb, providerPb, providerServices, statusPb } from "./stubs.ts";
import { send } from "./wire.ts";

/** The version of @pulumi/aws whose types this plugin has. */
const version = "7.48.0";

/** As in Pulumi's own plugins: a state can be large. */
const messageLimit = 400 * 1024 * 1024;

/** The engine's address among the arguments it starts a plugin with; flags of the engine's logging are skipped. */
function engineAddress(args: readonly string[]): string | undefined {
  const rest = args.filter((arg, index) => !arg.startsWith("-") && args[index - 1] !== "--tracing");
  return rest.at(-1);
}

/** A resource that was made and did not come up travels in the details of the error. */
function partialFailure({ failure, secrets }: SecretFailure): grpc.Metadata {
  const { id, outputs, inputs } = failure.resource;
  const detail = new providerPb.ErrorResourceInitFailed()
    .setId(id)
    .setProperties(send(outputs, secrets))
    .setInputs(send(inputs, secrets))
    .setReasonsList([explain(failure.cause)]);
  const any = new anyPb.Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusPb.Status().setCode(grpc.status.UNKNOWN).setMessage(failure.message);
  const metadata = new grpc.Metadata();
  status.addDetails(any);
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function serviceError(error: unknown): Partial<grpc.StatusObject> {
  if (error instanceof SecretFailure) {
    return {
      code: grpc.status.UNKNOWN,
      details: explain(error.failure.cause),
      metadata: partialFailure(error),
    };
  }
  const code =
    error instanceof OfflineError ? grpc.status.FAILED_PRECONDITION : grpc.status.UNKNOWN;
  return { code, details: explain(error) };
}

function unary<Request, Response>(
  handler: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(serviceError(error));
        },
      );
  };
}

/** Ends the process when the one that started it is gone: a killed engine leaves no plugin behind. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 1000).unref();
}

function implementation(methods: ProviderMethods): grpc.UntypedServiceImplementation {
  type Methods = ProviderMethods;
  type Request<M extends keyof Methods> = Parameters<Methods[M]>[0];
  return {
    checkConfig: unary((request: Request<"checkConfig">) => methods.checkConfig(request)),
    diffConfig: unary((request: Request<"diffConfig">) => methods.diffConfig(request)),
    configure: unary((request: Request<"configure">) => methods.configure(request)),
    getPluginInfo: unary(() => new pluginPb.PluginInfo().setVersion(version)),
    getSchema: unary(() =>
      new providerPb.GetSchemaResponse().setSchema(JSON.stringify({ name: "aws", version })),
    ),
    check: unary((request: Request<"check">) => methods.check(request)),
    diff: unary((request: Request<"diff">) => methods.diff(request)),
    create: unary((request: Request<"create">) => methods.create(request)),
    read: unary((request: Request<"read">) => methods.read(request)),
    update: unary((request: Request<"update">) => methods.update(request)),
    delete: unary((request: Request<"delete">) => methods.delete(request)),
    invoke: unary((request: Request<"invoke">) => methods.invoke(request)),
    cancel: unary(() => {
      methods.cancel();
      return new emptyPb.Empty();
    }),
    attach: unary(() => new emptyPb.Empty()),
  };
}

/** Listens on a free port of loopback. */
export async function startServer(log: LogLine): Promise<{ port: number; stop: () => void }> {
  const methods = new ProviderMethods(log);
  const server = new grpc.Server({
    "grpc.max_receive_message_length": messageLimit,
    "grpc.max_send_message_length": messageLimit,
  });
  server.addService(providerServices.ResourceProviderService, implementation(methods));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    stop: () => {
      methods.cancel();
      server.forceShutdown();
    },
  };
}

/** Serves the provider to a Pulumi engine: prints the port on standard output and answers until it is ended. */
export async function serveProvider(args: readonly string[]): Promise<void> {
  const { port } = await startServer(engineLog(engineAddress(args)));
  endWithParent();
  process.stdout.write(`${String(port)}\n`);
}
