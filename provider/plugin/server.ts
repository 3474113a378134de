import * as grpc from "@grpc/grpc-js";
import { explainUserError, UserError } from "../../components/user-error.ts";
import { engineLog } from "./engine-log.ts";
import { PluginMethods } from "./methods.ts";
import type { ResourceType } from "./resource-type.ts";
import { emptyPb, pluginPb, providerPb, providerServices } from "./stubs.ts";

/** As in Pulumi's own plugins: a state can be large. */
const messageLimit = 400 * 1024 * 1024;

/** The engine's address among the arguments it starts a plugin with; flags of the engine's logging are skipped. */
export function engineAddress(args: readonly string[]): string | undefined {
  const rest = args.filter((arg, index) => !arg.startsWith("-") && args[index - 1] !== "--tracing");
  return rest[0];
}

function serviceError(error: unknown): Partial<grpc.StatusObject> {
  if (error instanceof UserError) {
    return { code: grpc.status.FAILED_PRECONDITION, details: explainUserError(error) };
  }
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: grpc.status.UNKNOWN, details };
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

function implementation(methods: PluginMethods): grpc.UntypedServiceImplementation {
  return {
    configure: unary(() => {
      const response = new providerPb.ConfigureResponse();
      return response.setAcceptsecrets(true).setSupportspreview(true);
    }),
    getPluginInfo: unary(() => new pluginPb.PluginInfo().setVersion("0.1.0")),
    getSchema: unary(() => new providerPb.GetSchemaResponse().setSchema('{"name":"berth"}')),
    check: unary((request: Parameters<PluginMethods["check"]>[0]) => methods.check(request)),
    diff: unary((request: Parameters<PluginMethods["diff"]>[0]) => methods.diff(request)),
    create: unary((request: Parameters<PluginMethods["create"]>[0]) => methods.create(request)),
    read: unary((request: Parameters<PluginMethods["read"]>[0]) => methods.read(request)),
    update: unary((request: Parameters<PluginMethods["update"]>[0]) => methods.update(request)),
    delete: unary((request: Parameters<PluginMethods["delete"]>[0]) => methods.delete(request)),
    cancel: unary(() => {
      methods.cancel();
      return new emptyPb.Empty();
    }),
    attach: unary(() => new emptyPb.Empty()),
  };
}

/**
 * Serves resource types to a Pulumi engine: prints the port on standard output and answers until it is ended.
 * This is not `@pulumi/pulumi/provider`'s `main`, whose server does not tell a preview from an update, so that outputs
 * known beforehand would show as unknown.
 */
export async function servePlugin(
  types: ReadonlyMap<string, ResourceType>,
  args: readonly string[],
): Promise<void> {
  const methods = new PluginMethods(types, engineLog(engineAddress(args)));
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
  endWithParent();
  process.stdout.write(`${String(port)}\n`);
}
