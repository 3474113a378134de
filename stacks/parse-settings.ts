import type { z } from "zod";
import { usualAdapterRank } from "../components/model-server/adapters.ts";
import type { PlanRequest } from "../components/sizing/make-plan.ts";
import { longestAgeHours } from "../components/lease/extension.ts";
import { UserError } from "../components/user-error.ts";
import { declaredMonth } from "./declared-month.ts";
import { existingHostSchema, type BerthExistingHostSettings } from "./existing-host-schema.ts";
import {
  berthSchema,
  endpointSchema,
  environments,
  type BerthEndpointSettings,
  type BerthSettings,
} from "./settings-schema.ts";

/** Where a deployment stands in its life; it chooses the defaults. */
type Environment = (typeof environments)[number];

/** What a stack's configuration says, before it is checked. */
export interface RawSettings {
  /** The stack's name without organisation and project. */
  readonly stack: string;
  /** Values by full key, such as `berth:model` and `aws:region`; as text or as a YAML file has them. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What problems are said to be in. @default the stack's configuration file */
  readonly place?: string | undefined;
}

type Completed<T> = Omit<T, "env" | "leaseHours" | "spot" | "protect" | "maxAgeHours"> &
  CommonSettings;

/** The settings of a GPU host. */
export type HostSettings = Completed<BerthSettings>;

/** The settings of a SageMaker endpoint. */
export type EndpointSettings = Completed<BerthEndpointSettings>;

/** The settings of a machine that is there already. */
export type ExistingHostSettings = Completed<BerthExistingHostSettings> & NotOfExistingHosts;

/** A stack's configuration, checked and with the environment's defaults; its `target` tells which. */
export type Settings = HostSettings | EndpointSettings | ExistingHostSettings;

/** What a machine that is there already is never told, so that what is common to all targets can be read of any. */
interface NotOfExistingHosts {
  readonly instanceTypes?: undefined;
  readonly gpuCount?: undefined;
  readonly budgetUsd?: undefined;
  readonly expiresAt?: undefined;
  readonly officeHours?: undefined;
}

interface CommonSettings {
  readonly stack: string;
  readonly env: Environment;
  readonly region: string;
  readonly spot: boolean;
  readonly protect: boolean;
  /** undefined means no deadline. */
  readonly leaseHours: number | undefined;
  /** Hours from the start that no lease and no extension passes. */
  readonly maxAgeHours: number;
}

interface EnvironmentDefaults {
  readonly spot: boolean;
  readonly leaseHours: number | "none";
  readonly protect: boolean;
  readonly gpuCount?: number;
  /** Hours. */
  readonly maxAgeHours: number;
}

/** What each environment does unless the stack's file says otherwise. */
const defaults: Readonly<Record<Environment, EnvironmentDefaults>> = {
  dev: { spot: true, leaseHours: 4, protect: false, gpuCount: 1, maxAgeHours: 72 },
  staging: { spot: false, leaseHours: 10, protect: false, maxAgeHours: 240 },
  prod: { spot: false, leaseHours: "none", protect: true, maxAgeHours: longestAgeHours },
  local: { spot: false, leaseHours: 2, protect: false, gpuCount: 1, maxAgeHours: 72 },
};

/**
 * Settings from raw configuration; pure.
 *
 * @throws UserError that lists every problem with its place
 */
export function parseSettings(raw: RawSettings): Settings {
  const { stack, place = `stacks/Pulumi.${stack}.yaml` } = raw;
  const own = ownKeys(raw.config);
  const parsed = parseOwn(own);
  const region = regionOf(raw.config) ?? regionless(own);
  const env = environmentOf(stack, raw.config["berth:env"]);
  if (!parsed.success || region === undefined || env === undefined) {
    const problems = [
      ...(env === undefined ? [noEnvironment(stack)] : []),
      ...(region === undefined ? ["aws:region: must be a region such as us-east-1"] : []),
      ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, new Set(Object.keys(own)))),
    ];
    throw new UserError(`The stack "${stack}" is not configured right.`, {
      problems: problems.map((problem) => `${place}: ${problem}`),
      hint: hintFor(stack, problems),
    });
  }
  return completed(parsed.data, { stack, env, region });
}

/** What `berth init` cannot find out by itself. */
const initFlags = {
  "berth:model": "--model <model>",
  "berth:sshCidr": "--ssh-cidr <your address>/32",
};

function hintFor(stack: string, problems: readonly string[]): string {
  const inFile = "in that file, or with: pulumi config set <key> <value>";
  if (!problems.some((problem) => problem.endsWith(": is missing"))) return `Set them ${inFile}`;
  const flags = Object.entries(initFlags)
    .filter(([key]) => problems.includes(`${key}: is missing`))
    .map(([, flag]) => ` ${flag}`);
  return `Add what is missing with: npm run berth -- init --env ${stack}${flags.join("")}. All else is set ${inFile}`;
}

/** The settings with what the environment decides where the file does not. */
function completed(
  data: BerthSettings | BerthEndpointSettings | BerthExistingHostSettings,
  place: Pick<CommonSettings, "stack" | "env" | "region">,
): Settings {
  const chosen = defaults[place.env];
  const protect = data.protect ?? chosen.protect;
  if (data.target === "existing-host") {
    const { maxAgeHours } = chosen;
    return { ...data, ...place, spot: false, protect, leaseHours: undefined, maxAgeHours };
  }
  const leaseHours = data.leaseHours ?? chosen.leaseHours;
  return {
    ...data,
    ...place,
    spot: spotOf(data, chosen),
    protect,
    gpuCount: data.gpuCount ?? chosen.gpuCount,
    leaseHours: leaseHours === "none" ? undefined : leaseHours,
    maxAgeHours: data.maxAgeHours ?? chosen.maxAgeHours,
  };
}

/** A machine that fetches its weights from no bucket needs no region. */
function regionless(own: Readonly<Record<string, unknown>>): string | undefined {
  return own["target"] === "existing-host" && own["weightsBucket"] === undefined ? "" : undefined;
}

/** The market says it where there is one. */
function spotOf(
  { market, spot }: Pick<BerthSettings, "market" | "spot">,
  chosen: EnvironmentDefaults,
): boolean {
  return market === undefined ? (spot ?? chosen.spot) : market !== "on-demand";
}

function parseOwn(own: Readonly<Record<string, unknown>>) {
  return schemaOf(own["target"]).safeParse(own);
}

function schemaOf(target: unknown) {
  if (target === "existing-host") return existingHostSchema;
  return target === "sagemaker" ? endpointSchema : berthSchema;
}

/** Where and how the capacity is bought; nothing is for a machine that is there already. */
function boughtBy(
  settings: Settings,
): Pick<PlanRequest, "zones" | "onDemandAfterSpot" | "spotMaxHourlyUsd"> {
  if (settings.target === "existing-host") return {};
  const { zones, market, spotMaxHourlyUsd } = settings;
  return { zones, onDemandAfterSpot: market === "spot-then-on-demand", spotMaxHourlyUsd };
}

/** What the settings ask of the planner. */
export function planRequest(settings: Settings): PlanRequest {
  const { model, env, region, spot, leaseHours, concurrency, precision } = settings;
  const { context, instanceTypes, gpuCount } = settings;
  const served =
    settings.target === "sagemaker"
      ? {}
      : { engine: settings.engine, kvFormat: settings.kvCacheDtype, ...beside(settings) };
  const rootVolumeGiB = settings.target === "ec2" ? settings.rootVolumeGiB : undefined;
  const request = { model, env, region, spot, leaseHours, concurrency, precision };
  // Without office hours a plan shows all of a month, whatever the lease.
  const monthlyHours =
    settings.officeHours === undefined ? undefined : declaredMonth(1, settings).hours;
  return {
    ...request,
    ...boughtBy(settings),
    ...served,
    contextTokens: context,
    instanceTypes,
    gpuCount,
    rootVolumeGiB,
    monthlyHours,
  };
}

/** What is served beside the model. */
function beside(settings: HostSettings | ExistingHostSettings): Pick<PlanRequest, "adapters"> {
  if (settings.target !== "ec2" || settings.adapters === undefined) return {};
  const { adapters, adapterRank: rank = usualAdapterRank } = settings;
  return { adapters: { count: adapters.length, rank } };
}

const ownNamespace = "berth:";

function ownKeys(config: RawSettings["config"]): Record<string, unknown> {
  const own = Object.entries(config).filter(([key]) => key.startsWith(ownNamespace));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(ownNamespace.length), value]));
}

function regionOf(config: RawSettings["config"]): string | undefined {
  const region = config["aws:region"];
  if (typeof region !== "string") return undefined;
  return /^[a-z]{2}(-[a-z]+)+-\d$/.test(region) ? region : undefined;
}

/** The setting, or the stack's name up to its first hyphen: `dev-alice` is a `dev`. */
function environmentOf(stack: string, asked: unknown): Environment | undefined {
  const name = asked ?? stack.split("-")[0];
  return environments.find((known) => known === name);
}

/**
 * Hours from the start that no extension passes, even when the rest of a stack's file is broken: that must not keep a lease
 * from being extended.
 */
export function maxAgeHoursOf(stack: string, config: RawSettings["config"]): number {
  const given = berthSchema.shape.maxAgeHours.safeParse(config["berth:maxAgeHours"]).data;
  return given ?? defaults[environmentOf(stack, config["berth:env"]) ?? "dev"].maxAgeHours;
}

/** What a stack's environment decides where its file does not; that of `dev` when the name tells none. */
export function environmentDefaults(
  stack: string,
  config: RawSettings["config"],
): Readonly<Record<string, unknown>> {
  const env = environmentOf(stack, config["berth:env"]) ?? "dev";
  const values: Record<string, unknown> = { "berth:env": env };
  for (const [key, value] of Object.entries(defaults[env])) values[`berth:${key}`] = value;
  return values;
}

/** What a setting is where neither the stack's file nor its environment says it. */
export function settingDefaults(config: RawSettings["config"]): Readonly<Record<string, unknown>> {
  const { shape } = schemaOf(config["berth:target"]);
  const schemas: Readonly<Record<string, z.ZodType>> = shape;
  return Object.fromEntries(
    Object.entries(schemas).flatMap(([key, schema]) => {
      const value = schema.safeParse(undefined).data;
      return value === undefined ? [] : [[`berth:${key}`, value] as const];
    }),
  );
}

function noEnvironment(stack: string): string {
  const names = environments.join(", ");
  return `berth:env: the name "${stack}" does not begin with ${names}; set which of them it is`;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Of a strict object, those that it does not know. */
  readonly keys?: readonly string[];
}

/** One line a problem; a key that is missing is said so rather than of the wrong type. */
function explain(issue: Issue, given: ReadonlySet<string>): string[] {
  if (issue.keys !== undefined) {
    const within = placeOf(issue.path);
    return issue.keys.map((key) =>
      within === ""
        ? `berth:${key}: there is no such setting`
        : `berth:${within}: there is no "${key}" in it`,
    );
  }
  const key = String(issue.path[0]);
  const missing = !given.has(key);
  return [
    `berth:${missing ? key : placeOf(issue.path)}: ${missing ? "is missing" : issue.message}`,
  ];
}

/** `variants[0].share`; what is wrong with an entry of a plain list is said of the list. */
function placeOf([key = "", ...within]: readonly PropertyKey[]): string {
  const isPlain = !within.some((part) => typeof part === "string") && within.length > 0;
  const parts = within.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  return isPlain ? String(key) : `${String(key)}${parts.join("")}`;
}
