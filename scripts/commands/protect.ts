import { rewriteLayers, type LeaseLayer } from "../../components/lease/lease-layers.ts";
import { protectTag } from "../../components/identity.ts";
import { UserError } from "../../components/user-error.ts";
import { groupTag, notebookProtection } from "../adapters/endpoint/endpoint-layers.ts";
import {
  hostProtection,
  protectionTags,
  scheduleProtection,
  settingLayer,
  startProtection,
} from "../adapters/lease-layers.ts";
import { readStackConfig } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { usd } from "../../components/plan-text.ts";
import type { StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { readOutputs } from "../stack/stack-outputs.ts";
import { liveHosts, openLease, refused, type LeasedStack } from "./extend.ts";

/** Flags of `berth protect`. */
export interface ProtectOptions extends StackOptions {
  /** Take the protection away. */
  readonly off?: boolean;
}

/** Tags first: from then on no sweep ends anything, whatever happens to this command. */
async function protectionLayers(leased: LeasedStack): Promise<readonly LeaseLayer[]> {
  const { env, opened, state, scope } = leased;
  const asked = readStackConfig(env)?.["berth:protect"];
  return [
    protectionTags(scope, state.endpointArn),
    ...(state.notebookArn === undefined ? [] : [notebookProtection(scope, state.notebookArn)]),
    ...(state.groupArn === undefined ? [] : [groupTag(scope, state.groupArn, protectTag)]),
    ...(await liveHosts(leased)).map(hostProtection),
    ...state.schedules.map((schedule) =>
      schedule.kind === "hours-start"
        ? startProtection(scope, schedule)
        : scheduleProtection(scope, schedule),
    ),
    settingLayer(
      opened.stack,
      "berth:protect",
      asked === true || asked === "true" ? "true" : "false",
    ),
  ];
}

/** `berth protect`: nothing ends the deployment until `--off`, neither a deadline nor a sweep nor `berth down`. */
export async function runProtect(options: ProtectOptions, terminal: Terminal): Promise<number> {
  const leased = await openLease(options);
  const { env, lease, now, opened } = leased;
  const protect = options.off !== true;
  if (!protect && lease.expiresAt !== "" && Date.parse(lease.expiresAt) <= now.getTime()) {
    throw new UserError(`The lease ended at ${lease.expiresAt}, while it was protected.`, {
      hint: `Give it a new end first: npm run berth -- extend 1h --env ${env}; or take it down with --force.`,
    });
  }
  const again = `npm run berth -- protect ${protect ? "" : "--off "}--env ${env}`;
  try {
    const { written } = await rewriteLayers(await protectionLayers(leased), String(protect));
    const { hourlyUsd } = readOutputs(await opened.stack.outputs());
    const rate = hourlyUsd === undefined ? "" : ` It goes on costing ${usd(hourlyUsd)} an hour.`;
    terminal.say(
      protect
        ? `protected  nothing ends "${env}" until: npm run berth -- protect --off --env ${env}.${rate}`
        : `protected  no longer; it ends ${lease.expiresAt === "" ? "when it is taken down" : `at ${lease.expiresAt}`}`,
      ...written.map((name) => `           ${name}`),
    );
    terminal.result({ env, protect, written });
    return exitCode.ok;
  } catch (error) {
    throw refused(error, "The protection", again);
  }
}
