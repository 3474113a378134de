import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { expiryTag } from "../../components/identity.ts";
import { lastStart, sweepBounds } from "../../components/teardown/teardown-times.ts";
import { atExpression } from "../../components/teardown/terminate-by-tag.ts";
import type { NamedThing } from "./receipt/receipt-by-name.ts";

const properties = z.record(z.string(), z.unknown());

const stateSchema = z.looseObject({
  resources: z
    .array(
      z.looseObject({
        type: z.string(),
        urn: z.string(),
        id: z.string().optional(),
        inputs: properties.optional(),
        outputs: properties.optional(),
      }),
    )
    .nullish(),
});

type Resource = NonNullable<z.infer<typeof stateSchema>["resources"]>[number];

/** The lease in a state. */
export const leaseSchema = z.object({
  startedAt: z.string(),
  expiresAt: z.string(),
  owner: z.string(),
  runId: z.string(),
  /** Where it stands; one that was made before that was kept says none. */
  region: z.string().optional(),
});

/** The lease as the first `up` made it and extensions moved it. */
export type RecordedLease = Readonly<z.infer<typeof leaseSchema>>;

/** One schedule of a stack's teardown. */
export interface RecordedSchedule {
  readonly groupName: string;
  readonly name: string;
  /** Whether it fires once, at the deadline, sweeps after it, or keeps an endpoint's weekly hours until then. */
  readonly kind: "at-deadline" | "after-deadline" | "hours-start" | "hours-stop";
  /** Where it is, when that is not the stack's own region. */
  readonly region?: string | undefined;
}

const endpointSchema = z.object({
  endpointName: z.string(),
  configName: z.string(),
  tags: z.record(z.string(), z.string()),
  hours: z.string().optional(),
  /** Of its variants, where it has several. */
  weights: z.record(z.string(), z.number()).optional(),
});

/** An endpoint that can be stopped and made again. */
export type RecordedEndpoint = Readonly<z.infer<typeof endpointSchema>>;

/** What a stack's state says of its lease; all of it is there as soon as the first resources were made. */
export interface StackState {
  readonly resources: number;
  readonly lease: RecordedLease | undefined;
  readonly schedules: readonly RecordedSchedule[];
  /** ARN of the schedules' group, which carries the deadline as a tag. */
  readonly groupArn: string | undefined;
  /** ARN of the SageMaker endpoint; undefined for a host. */
  readonly endpointArn: string | undefined;
  /** ARN of the notebook instance beside the endpoint. */
  readonly notebookArn: string | undefined;
  /** What the endpoint was made with; undefined for a host. */
  readonly endpoint: RecordedEndpoint | undefined;
  /** Everything that the state says, to look an id up in. */
  readonly text: string;
  /** Everything that it knows, by the names that AWS has for it. */
  readonly things: readonly NamedThing[];
  /** Operations that began and of whose end nothing is known. */
  readonly pending: number;
}

const groupType = "aws:scheduler/scheduleGroup:ScheduleGroup";
const endpointType = "berth:index:HostedEndpoint";
const notebookType = "aws:sagemaker/notebookInstance:NotebookInstance";
const scheduleType = "aws:scheduler/schedule:Schedule";

function scheduleKind(urn: string): RecordedSchedule["kind"] | undefined {
  const kinds = ["at-deadline", "after-deadline", "hours-start", "hours-stop"] as const;
  const name = urn.replace(/-\d+$/, "");
  return kinds.find((kind) => name.endsWith(`-${kind}`));
}

function resourcesOf(deployment: unknown): readonly Resource[] {
  return stateSchema.parse(deployment ?? {}).resources ?? [];
}

const exportedSchema = z.looseObject({ version: z.number(), deployment: z.unknown() });

/** What the SDK runs the engine by. */
export interface EngineCommand {
  run(
    args: readonly string[],
    workDir: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<{ readonly stdout: string }>;
}

/** Runs the engine itself: the Automation API's own export and import take every secret out of its encryption. */
async function runEngine({ workspace, name }: Stack, ...words: readonly string[]): Promise<string> {
  const { pulumiCommand, workDir, envVars, pulumiHome } = workspace;
  const home = pulumiHome === undefined ? {} : { PULUMI_HOME: pulumiHome };
  const args = ["stack", ...words, "--stack", name, "--non-interactive"];
  // Public at run time, and left out of the SDK's types.
  const command = pulumiCommand as unknown as EngineCommand;
  const { stdout } = await command.run(args, workDir, { ...home, ...envVars });
  return stdout;
}

async function exportState(stack: Stack) {
  return exportedSchema.parse(JSON.parse(await runEngine(stack, "export")));
}

/** Reads the state of a stack. */
export async function readStackState(stack: Stack): Promise<StackState> {
  const { deployment } = await exportState(stack);
  const resources = resourcesOf(deployment);
  const lease = leaseSchema.safeParse(
    resources.find(({ type }) => type === "berth:index:Lease")?.outputs,
  ).data;
  const elsewhere = ({ outputs = {} }: Resource) => {
    const region = outputs["region"];
    const known = lease?.region !== undefined && typeof region === "string";
    return known && region !== lease.region ? region : undefined;
  };
  const schedules = resources.flatMap((resource) => {
    const { type, urn, outputs = {} } = resource;
    const kind = scheduleKind(urn);
    if (type !== scheduleType || kind === undefined) return [];
    const region = elsewhere(resource);
    const named = { groupName: String(outputs["groupName"]), name: String(outputs["name"]) };
    return [{ ...named, kind, ...(region === undefined ? {} : { region }) }];
  });
  const arnOf = (asked: string) =>
    z
      .string()
      // The group of weekly hours says no deadline.
      .safeParse(
        resources.find(
          (each) =>
            each.type === asked &&
            !each.urn.endsWith("-hours-group") &&
            elsewhere(each) === undefined,
        )?.outputs?.["arn"],
      ).data;
  const { pending_operations: pending } = deployment as { pending_operations?: unknown[] | null };
  return {
    resources: resources.length,
    lease,
    schedules,
    groupArn: arnOf(groupType),
    endpointArn: arnOf(endpointType),
    notebookArn: arnOf(notebookType),
    endpoint: endpointSchema.safeParse(resources.find(({ type }) => type === endpointType)?.outputs)
      .data,
    text: JSON.stringify(resources),
    things: resources.flatMap(({ type, id, outputs = {} }) =>
      id === undefined ? [] : [{ type, id, outputs }],
    ),
    pending: pending?.length ?? 0,
  };
}

/** What changes of one resource when its deadline moves. */
function dated({ type, urn }: Resource, expiresAt: string): Record<string, unknown> {
  if (type === scheduleType) {
    const kind = scheduleKind(urn);
    if (kind === "hours-start") return { endDate: lastStart(expiresAt) };
    if (kind === "hours-stop") return { endDate: expiresAt };
    return kind === "at-deadline"
      ? { scheduleExpression: atExpression(expiresAt) }
      : { ...sweepBounds(expiresAt) };
  }
  const dates = ["berth:index:Lease", "berth:index:HostBootstrap", "pulumi:pulumi:Stack"];
  return dates.includes(type) ? { expiresAt } : {};
}

const tagMaps = ["tags", "tagsAll"];

/** Properties with a later deadline, where they have one. */
function redated(
  values: Record<string, unknown>,
  change: Record<string, unknown>,
  expiresAt: string,
): Record<string, unknown> {
  const known = Object.entries(change).filter(([key]) => key in values);
  const tags = tagMaps.flatMap((key) => {
    const map = properties.safeParse(values[key]).data;
    return map !== undefined && expiryTag in map
      ? [[key, { ...map, [expiryTag]: expiresAt }] as const]
      : [];
  });
  return { ...values, ...Object.fromEntries([...known, ...tags]) };
}

/** The same deployment with another deadline: exactly what its schedules, its group's tags and its host hold by then. */
export function withDeadline(deployment: unknown, expiresAt: string): unknown {
  const parsed = stateSchema.parse(deployment);
  const resources = (parsed.resources ?? []).map((resource) => {
    const change = dated(resource, expiresAt);
    if (Object.keys(change).length === 0 && resource.type !== groupType) return resource;
    const { inputs, outputs } = resource;
    return {
      ...resource,
      ...(inputs === undefined ? {} : { inputs: redated(inputs, change, expiresAt) }),
      ...(outputs === undefined ? {} : { outputs: redated(outputs, change, expiresAt) }),
    };
  });
  return { ...parsed, resources };
}

/** The same deployment without Pulumi's own protection, which no engine destroys; undefined when it has none. */
export function withoutProtection(deployment: unknown): unknown {
  const parsed = stateSchema.parse(deployment);
  const resources = parsed.resources ?? [];
  if (!resources.some((resource) => resource["protect"] === true)) return undefined;
  return {
    ...parsed,
    resources: resources.map((resource) => ({ ...resource, protect: undefined })),
  };
}

/** Takes Pulumi's own protection off everything in a stack's state, for a teardown that has been allowed. */
export async function unprotectState(stack: Stack): Promise<void> {
  const exported = await exportState(stack);
  const deployment = withoutProtection(exported.deployment);
  if (deployment !== undefined) await importState(stack, { ...exported, deployment });
}

/** Writes another deadline into the state of a stack. */
export async function writeStateDeadline(stack: Stack, expiresAt: string): Promise<void> {
  const exported = await exportState(stack);
  await importState(stack, {
    ...exported,
    deployment: withDeadline(exported.deployment, expiresAt),
  });
}

/** Writes into the state of a stack what has become of its endpoint, as a refresh would. */
export async function writeEndpointState(
  stack: Stack,
  told: { readonly state: string; readonly runningConfig: string },
): Promise<void> {
  const exported = await exportState(stack);
  const parsed = stateSchema.parse(exported.deployment);
  const resources = (parsed.resources ?? []).map((resource) =>
    resource.type === endpointType
      ? { ...resource, outputs: { ...resource.outputs, ...told } }
      : resource,
  );
  await importState(stack, { ...exported, deployment: { ...parsed, resources } });
}

async function importState(stack: Stack, exported: unknown): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "berth-state-"));
  try {
    const file = join(folder, "state.json");
    await writeFile(file, JSON.stringify(exported), { mode: 0o600 });
    await runEngine(stack, "import", "--file", file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
