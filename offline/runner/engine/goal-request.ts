import { isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { status } from "@grpc/grpc-js";
import type * as resourceTypes from "@pulumi/pulumi/proto/resource_pb.js";

import { StatusError } from "./grpc.ts";
import type { Alias, Goal } from "./goal.ts";
import { hashAssets } from "./assets.ts";
import { fromStruct } from "./property-marshal.ts";
import { parseDuration } from "./timeouts.ts";

/** Reads what the program registers. Options that this engine does not have are refused by name. */
export function goalFromRequest(
  request: resourceTypes.RegisterResourceRequest,
  provider: string,
  folder: string,
  root: string,
): Goal {
  refuseUnsupported(request);
  const dependencies: Record<string, readonly string[]> = {};
  request.getPropertydependenciesMap().forEach((list, key) => {
    dependencies[key] = list.getUrnsList();
  });
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    inputs: hashAssets(fromStruct(request.getObject()), folder),
    parent: request.getParent(),
    protect: request.hasProtect() ? request.getProtect() : undefined,
    dependencies: request.getDependenciesList(),
    provider,
    propertyDependencies: dependencies,
    deleteBeforeReplace: request.getDeletebeforereplacedefined()
      ? request.getDeletebeforereplace()
      : undefined,
    ignoreChanges: request.getIgnorechangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: [
      ...request.getAliasurnsList().map((urn): Alias => ({ kind: "urn", urn })),
      ...request.getAliasesList().map(aliasFromMessage),
    ],
    importId: request.getImportid(),
    customTimeouts: timeoutsOf(request),
    replaceOnChanges: request.getReplaceonchangesList(),
    retainOnDelete: request.hasRetainondelete() ? request.getRetainondelete() : undefined,
    deletedWith: request.getDeletedwith(),
    hideDiffs: request.getHidediffsList(),
    sourcePosition: sourcePosition(request, root),
  };
}

/** Where the program registers it, as Pulumi's engine records it: `project:///index.ts#12,7`. */
function sourcePosition(request: resourceTypes.RegisterResourceRequest, root: string): string {
  const position = request.getSourceposition();
  if (position?.getUri().startsWith("file://") !== true) return "";
  const path = relative(root, fileURLToPath(position.getUri()));
  if (path === "" || path.startsWith("..") || isAbsolute(path)) return "";
  const at =
    position.getColumn() === 0
      ? String(position.getLine())
      : `${position.getLine()},${position.getColumn()}`;
  return `project:///${path.split(sep).join("/")}#${at}`;
}

function refuseUnsupported(request: resourceTypes.RegisterResourceRequest): void {
  const hooks = Object.values(request.getHooks()?.toObject() ?? {}).some((list) => list.length > 0);
  const used: readonly (readonly [string, boolean])[] = [
    ["remote components", request.getRemote()],
    ["transforms", request.getTransformsList().length > 0],
    ["resource hooks", hooks],
    ["replaceWith", request.getReplaceWithList().length > 0],
    ["replacementTrigger", request.hasReplacementTrigger()],
    ["state migrations", request.getStateMigrationsList().length > 0],
    ["envVarMappings", request.getEnvvarmappingsMap().getLength() > 0],
    ["parameterized packages", request.getPackageref() !== ""],
  ];
  for (const [option, isUsed] of used) {
    if (isUsed) {
      const what = `${request.getType()} "${request.getName()}" uses ${option}`;
      throw new StatusError(
        status.UNIMPLEMENTED,
        `${what}, which offline/runner does not support; the real Pulumi CLI does`,
      );
    }
  }
}

function timeoutsOf(request: resourceTypes.RegisterResourceRequest): Goal["customTimeouts"] {
  const message = request.getCustomtimeouts();
  const seconds = (text: string | undefined): number =>
    text === undefined || text === "" ? 0 : parseDuration(text);
  return {
    create: seconds(message?.getCreate()),
    update: seconds(message?.getUpdate()),
    delete: seconds(message?.getDelete()),
  };
}

function aliasFromMessage(message: {
  getUrn(): string;
  hasSpec(): boolean;
  getSpec(): AliasSpec | undefined;
}): Alias {
  const spec = message.getSpec();
  if (!message.hasSpec() || spec === undefined) return { kind: "urn", urn: message.getUrn() };
  return {
    kind: "spec",
    name: spec.getName(),
    type: spec.getType(),
    stack: spec.getStack(),
    project: spec.getProject(),
    parent: spec.hasParenturn() ? spec.getParenturn() : "",
    noParent: spec.hasNoparent() && spec.getNoparent(),
  };
}

interface AliasSpec {
  getName(): string;
  getType(): string;
  getStack(): string;
  getProject(): string;
  hasParenturn(): boolean;
  getParenturn(): string;
  hasNoparent(): boolean;
  getNoparent(): boolean;
}
