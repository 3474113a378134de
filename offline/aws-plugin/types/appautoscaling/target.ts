import type {
  ScalableDimension,
  ScalableTarget,
  ServiceNamespace,
} from "@aws-sdk/client-application-auto-scaling";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { number, string } from "../../engine/schema.ts";
import type { TagMap } from "../../engine/tags.ts";

const inputs = {
  resourceId: string({ required: true, replace: true }),
  scalableDimension: string({ required: true, replace: true }),
  serviceNamespace: string({ required: true, replace: true }),
  minCapacity: number({ required: true }),
  maxCapacity: number({ required: true }),
  roleArn: string({ computed: true }),
};

/** What names a target. */
export interface TargetName {
  readonly ResourceId: string;
  readonly ScalableDimension: ScalableDimension;
  readonly ServiceNamespace: ServiceNamespace;
}

/** The target that a resource's properties name. */
export function targetName(from: Readonly<Record<string, unknown>>): TargetName {
  return {
    ResourceId: String(from["resourceId"]),
    ScalableDimension: from["scalableDimension"] as ScalableDimension,
    ServiceNamespace: from["serviceNamespace"] as ServiceNamespace,
  };
}

/**
 * The parts of an id that an import takes: `namespace/resource/dimension`, where the resource has slashes of its own.
 *
 * @param after how many parts follow the dimension
 */
export function importedName(id: string, after: number): TargetName | undefined {
  const [namespace = "", ...parts] = id.split("/");
  const end = parts.length - after;
  const dimension = parts[end - 1];
  if (dimension?.startsWith(`${namespace}:`) !== true) return undefined;
  return targetName({
    serviceNamespace: namespace,
    resourceId: parts.slice(0, end - 1).join("/"),
    scalableDimension: dimension,
  });
}

async function find(context: Context, name: TargetName): Promise<ScalableTarget | undefined> {
  const scaling = await context.clients.applicationAutoScaling();
  const { ScalableTargets = [] } = await scaling.describeScalableTargets({
    ServiceNamespace: name.ServiceNamespace,
    ResourceIds: [name.ResourceId],
  });
  return ScalableTargets.find((each) => each.ScalableDimension === name.ScalableDimension);
}

async function register(
  context: Context,
  name: TargetName,
  from: Readonly<Record<string, unknown>>,
  Tags?: TagMap,
): Promise<void> {
  const scaling = await context.clients.applicationAutoScaling();
  await scaling.registerScalableTarget({
    ...name,
    MinCapacity: Number(from["minCapacity"]),
    MaxCapacity: Number(from["maxCapacity"]),
    RoleARN: from["roleArn"] as string | undefined,
    Tags,
  });
}

/** Between how many and how many something may scale. */
export const target = resourceType({
  token: "aws:appautoscaling/target:Target",
  inputs,
  outputs: ["arn"],
  tag: async (context, _id, { set, remove }, state) => {
    const scaling = await context.clients.applicationAutoScaling();
    const ResourceARN = String(state["arn"]);
    if (remove.length > 0) await scaling.untagResource({ ResourceARN, TagKeys: [...remove] });
    if (Object.keys(set).length > 0) await scaling.tagResource({ ResourceARN, Tags: set });
  },
  create: async (context, given) => {
    const name = targetName(given);
    await register(context, name, given, given.tagsAll);
    return { id: name.ResourceId };
  },
  read: async (context, id, state) => {
    const found = await find(context, importedName(id, 0) ?? targetName(state));
    if (found === undefined) return undefined;
    const scaling = await context.clients.applicationAutoScaling();
    const { Tags: tagsAll } = await scaling.listTagsForResource({
      ResourceARN: found.ScalableTargetARN,
    });
    return {
      tagsAll,
      id: found.ResourceId,
      arn: found.ScalableTargetARN,
      resourceId: found.ResourceId,
      scalableDimension: found.ScalableDimension,
      serviceNamespace: found.ServiceNamespace,
      minCapacity: found.MinCapacity,
      maxCapacity: found.MaxCapacity,
      roleArn: found.RoleARN,
    };
  },
  update: (context, _id, { news }) => register(context, targetName(news), news),
  delete: async (context, _id, state) => {
    const name = targetName(state);
    if ((await find(context, name)) === undefined) return;
    const scaling = await context.clients.applicationAutoScaling();
    await scaling.deregisterScalableTarget({ ...name });
  },
});
