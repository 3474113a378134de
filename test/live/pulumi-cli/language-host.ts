/**
 * The least of a `pulumi-language-nodejs`: it runs a Node program for the Pulumi engine as the CLI's own language host does
 * (https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto), and answers everything else with nothing.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import * as grpc from "@grpc/grpc-js";
import languagePb from "@pulumi/pulumi/proto/language_pb.js";
import languageServices from "@pulumi/pulumi/proto/language_grpc_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";

const engineAddress = process.argv.at(-1) ?? "";

function commandLine(request: languagePb.RunRequest): readonly string[] {
  const info = request.getInfo();
  const root = info?.getRootDirectory() ?? request.getPwd();
  const options = info?.getOptions()?.toJavaScript() ?? {};
  const nodeArgs = typeof options["nodeargs"] === "string" ? options["nodeargs"].split(/\s+/) : [];
  const entry = resolve(info?.getProgramDirectory() ?? root, info?.getEntryPoint() ?? ".");
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
    "root-directory": root,
  };
  return [
    ...nodeArgs,
    createRequire(join(root, "index.js")).resolve("@pulumi/pulumi/cmd/run/index.js"),
    ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    entry,
  ];
}

function run(request: languagePb.RunRequest): Promise<languagePb.RunResponse> {
  const root = request.getInfo()?.getRootDirectory() ?? request.getPwd();
  const child = spawn(join(root, "node_modules/.bin/node"), commandLine(request), {
    cwd: request.getPwd(),
    stdio: ["ignore", 2, 2],
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().entries())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      PULUMI_NODEJS_TYPESCRIPT: "false",
    },
  });
  return new Promise((done) => {
    child.on("exit", (code) => {
      const response = new languagePb.RunResponse();
      // 32 is cmd/run's word for "I have told my errors already".
      if (code === 32) response.setBail(true);
      else if (code !== 0) response.setError(`the program exited with ${String(code)}`);
      done(response);
    });
  });
}

/** A method that gives the same answer to everybody. */
function always<Response>(make: () => Response): grpc.handleUnaryCall<unknown, Response> {
  return (_call, answer) => {
    answer(null, make());
  };
}

function pluginInfo(): pluginPb.PluginInfo {
  const info = new pluginPb.PluginInfo();
  info.setVersion("1.0.0");
  return info;
}

const server = new grpc.Server();
server.addService(languageServices.LanguageRuntimeService, {
  handshake: always(() => new languagePb.LanguageHandshakeResponse()),
  getRequiredPlugins: always(() => new languagePb.GetRequiredPluginsResponse()),
  getRequiredPackages: always(() => new languagePb.GetRequiredPackagesResponse()),
  getPluginInfo: always(pluginInfo),
  cancel: always(() => new emptyPb.Empty()),
  run: (
    call: grpc.ServerUnaryCall<languagePb.RunRequest, languagePb.RunResponse>,
    answer: grpc.sendUnaryData<languagePb.RunResponse>,
  ) => {
    void run(call.request).then((response) => {
      answer(null, response);
    });
  },
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${String(port)}\n`);
});
