/** Limits of the engine's calls, in seconds. */
export interface Timeouts {
  /** From a plugin's start to its port. */
  readonly pluginStart: number;
  /** Check, Diff, Configure, Invoke, Read. */
  readonly query: number;
  /** Create, Update and Delete without customTimeouts. */
  readonly operation: number;
  /** What a plugin gets on top of a limit that it was told, to say itself that it was reached. */
  readonly grace: number;
  /** From the end of an update to the program's end. */
  readonly programEnd: number;
}

/** Setting that replaces the default limit of one Create, Update or Delete, in seconds. */
const operationSetting = "PULUMI_RUNNER_OPERATION_TIMEOUT";
/** Setting that replaces the default limit of one query, in seconds. */
const querySetting = "PULUMI_RUNNER_QUERY_TIMEOUT";

/** Setting that replaces what a plugin gets on top of its limit, in seconds. */
const graceSetting = "PULUMI_RUNNER_GRACE";

/** The limits in force: an hour for an operation, five minutes for a query, unless the environment says else. */
export function timeouts(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Timeouts {
  return {
    pluginStart: 60,
    query: positive(environment[querySetting]) ?? 300,
    operation: positive(environment[operationSetting]) ?? 3600,
    grace: positive(environment[graceSetting]) ?? 5,
    programEnd: 5,
  };
}

function positive(text: string | undefined): number | undefined {
  const seconds = Number(text);
  return text !== undefined && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/**
 * Seconds of a duration as Pulumi's SDKs write it (`5m`, `1h30m`, `40s`, `250ms`). Throws when it is not one.
 * https://www.pulumi.com/docs/concepts/options/customtimeouts/
 */
export function parseDuration(text: string): number {
  const units: Readonly<Record<string, number>> = {
    h: 3600,
    m: 60,
    s: 1,
    ms: 1e-3,
    us: 1e-6,
    ns: 1e-9,
  };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)/g)];
  if (text === "" || parts.map((part) => part[0]).join("") !== text) {
    throw new Error(`"${text}" is not a duration; expected for example "90s", "5m" or "1h30m"`);
  }
  return parts.reduce((total, part) => total + Number(part[1]) * (units[part[2] ?? ""] ?? 0), 0);
}
