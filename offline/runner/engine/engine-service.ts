import { status } from "@grpc/grpc-js";
import type * as grpc from "@grpc/grpc-js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import services from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import type * as engineTypes from "@pulumi/pulumi/proto/engine_pb.js";

import type { Severity } from "../contract.ts";
import type { EventStream } from "./event-stream.ts";
import { StatusError, unaryHandler } from "./grpc.ts";

const severities: readonly Severity[] = ["debug", "info", "warning", "error"];

/** Adds the service by which program and plugins log (`pulumirpc.Engine`) to a server. */
export function addEngineService(server: grpc.Server, events: EventStream): void {
  let root = "";
  server.addService(services.EngineService, {
    log: unaryHandler((request: engineTypes.LogRequest) => {
      const severity = severities[request.getSeverity()] ?? "info";
      // What a program writes for its own debugging is a flood of every call.
      if (severity !== "debug") {
        events.diagnostic(severity, request.getMessage(), {
          ...(request.getUrn() === "" ? {} : { urn: request.getUrn() }),
          ...(request.getStreamid() === 0 ? {} : { streamID: request.getStreamid() }),
          ...(request.getEphemeral() ? { ephemeral: true } : {}),
        });
      }
      return Promise.resolve(new emptyPb.Empty());
    }),
    setRootResource: unaryHandler((request: engineTypes.SetRootResourceRequest) => {
      root = request.getUrn();
      return Promise.resolve(new enginePb.SetRootResourceResponse());
    }),
    getRootResource: unaryHandler(() =>
      Promise.resolve(new enginePb.GetRootResourceResponse().setUrn(root)),
    ),
    requirePulumiVersion: unaryHandler(() =>
      Promise.resolve(new enginePb.RequirePulumiVersionResponse()),
    ),
    startDebugging: unaryHandler(() =>
      Promise.reject(
        new StatusError(
          status.UNIMPLEMENTED,
          "Engine.StartDebugging is not supported by offline/runner",
        ),
      ),
    ),
  });
}
