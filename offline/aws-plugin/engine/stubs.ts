/**
 * Pulumi's generated protocol stubs as ES modules: they are CommonJS without an export map, so each is taken whole here
 * and nowhere else.
 */
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import providerServices from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";

export {
  anyPb,
  emptyPb,
  enginePb,
  engineServices,
  pluginPb,
  providerPb,
  providerServices,
  statusPb,
  structPb,
};
