import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { serverlessType } from "../../components/sagemaker-endpoint/serverless-limits.ts";
import { UserError } from "../../components/user-error.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { parseSettings } from "../../stacks/parse-settings.ts";
import type { Settings } from "../../stacks/settings.ts";
import { repository, stackFilePath } from "../adapters/repository.ts";
import {
  configText,
  readStackConfig,
  shownPath,
  writeStackConfig,
  type StackConfig,
} from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { workflowFiles } from "../ci/ci-workflow.ts";
import { exitCode } from "../cli/exit-code.ts";
import { readHostKey } from "../stack/host-options.ts";

/** Flags of `berth init`. */
export interface InitOptions {
  readonly env: string;
  readonly model?: string;
  readonly owner?: string;
  readonly sshCidr?: string;
  /** The key's line, or the file that holds it. */
  readonly sshPublicKey?: string;
  readonly region?: string;
  readonly weightsBucket?: string;
  /** A machine that is there already, as user@address: the target is that machine. */
  readonly host?: string;
  /** Its public host key: the line, or the file that holds it. */
  readonly hostKey?: string;
  /** Every GPU that it has, or "none". */
  readonly gpus?: string;
  /** Folder with the weights, instead of a bucket. */
  readonly weightsFolder?: string;
  /** `key=value` pairs of any other setting. */
  readonly set?: readonly string[];
  /** Write workflows: one that takes the stack down when it is due, and one that previews it on a pull request. */
  readonly withCi?: boolean;
  /** Allow values that the file has already to be replaced. */
  readonly force?: boolean;
  /** Where the file is written; for tests. @default the stack's own */
  readonly path?: string;
}

function publicKeyLine(given: string | undefined): string | undefined {
  if (given !== undefined && /^(ssh|ecdsa)-\S+ \S+/.test(given)) return given;
  const path = (given ?? "~/.ssh/id_ed25519.pub").replace(/^~(?=\/)/, homedir());
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    if (given === undefined) return undefined;
    throw new UserError(`The public key ${given} cannot be read.`, {
      hint: "Give the path of a .pub file, or make a key: ssh-keygen -t ed25519.",
      cause,
    });
  }
}

/**
 * Settings from `key=value` words, in `berth:` where no namespace is given.
 *
 * @throws UserError naming each word that is none
 */
export function settingPairs(set: readonly string[]): Record<string, string> {
  const wrong = set.filter((pair) => !/^[A-Za-z:]+=/.test(pair));
  if (wrong.length > 0) {
    throw new UserError("--set takes key=value.", { problems: wrong.map((pair) => `"${pair}"`) });
  }
  return Object.fromEntries(
    set.map((pair) => {
      const at = pair.indexOf("=");
      const key = pair.slice(0, at);
      return [key.includes(":") ? key : `berth:${key}`, pair.slice(at + 1)];
    }),
  );
}

/** What a machine that is there already is named by. */
function machineSettings({ host, hostKey, gpus, weightsFolder }: InitOptions): StackConfig {
  const target = host === undefined ? undefined : "existing-host";
  const key = hostKey === undefined ? undefined : readHostKey(hostKey);
  return {
    "berth:target": target,
    "berth:host": host,
    "berth:hostKey": key ?? hostKey,
    "berth:gpus": gpus,
    "berth:weightsFolder": weightsFolder,
  };
}

/** What the flags say, and then what is filled in where neither they nor the file say it. */
function wanted(
  options: InitOptions,
  kept: StackConfig,
): { asked: StackConfig; filled: StackConfig } {
  const { model, owner, sshCidr, sshPublicKey, region, weightsBucket, set = [] } = options;
  const machine = options.host !== undefined || kept["berth:target"] === "existing-host";
  const asked = {
    ...machineSettings(options),
    "aws:region": region,
    "berth:model": model,
    "berth:owner": owner,
    "berth:sshCidr": sshCidr,
    "berth:sshPublicKey": sshPublicKey === undefined ? undefined : publicKeyLine(sshPublicKey),
    "berth:weightsBucket": weightsBucket,
    ...settingPairs(set),
  };
  const local = /^local(-|$)/.test(options.env);
  const given = (values: object): StackConfig =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  if (machine) return { asked: given(asked), filled: { "berth:owner": userInfo().username } };
  const filled = {
    "aws:region": "us-east-1",
    "berth:owner": userInfo().username,
    "berth:sshPublicKey":
      kept["berth:sshPublicKey"] === undefined ? publicKeyLine(undefined) : undefined,
    ...(local ? { "berth:sshCidr": "127.0.0.1/32", "berth:model": "demo-llama-60m" } : {}),
  };
  return { asked: given(asked), filled: given(filled) };
}

function checkReplaced(place: string, kept: StackConfig, asked: StackConfig): void {
  const replaced = Object.keys(asked).filter(
    (key) => kept[key] !== undefined && configText(kept[key]) !== configText(asked[key]),
  );
  // The model in the files that come with berth is an example.
  const problems = replaced.filter((key) => key !== "berth:model");
  if (problems.length === 0) return;
  throw new UserError(`${place} has other values already.`, {
    problems: problems.map(
      (key) => `${key}: ${configText(kept[key])}, and ${configText(asked[key])} is asked`,
    ),
    hint: "Give --force to replace them.",
  });
}

/** The settings, checked. @throws UserError with every problem, and the flags that solve them */
function checked(stack: string, config: StackConfig, place: string): Settings {
  try {
    return parseSettings({ stack, config, place });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const key =
      config["berth:sshPublicKey"] === undefined && config["berth:target"] !== "existing-host"
        ? " There is no key in ~/.ssh/id_ed25519.pub: make one with `ssh-keygen -t ed25519`, or name yours with --ssh-public-key."
        : "";
    const hint = `Give what is missing as flags (init --help shows them).${key}`;
    throw new UserError(error.message, { problems: error.problems, hint, cause: error });
  }
}

function placeOf(settings: Settings, instanceType: string): string {
  if (settings.target === "existing-host") return settings.host;
  return instanceType === serverlessType ? "a serverless endpoint" : instanceType;
}

/** Writes workflows where GitHub looks for them, from the root of the checkout. */
async function writeWorkflows({
  stack,
  region,
  officeHours,
}: Settings): Promise<readonly string[]> {
  const folder = join(repository, ".github", "workflows");
  await mkdir(folder, { recursive: true });
  const files = workflowFiles({ stack, region, officeHours: officeHours !== undefined });
  for (const { name, text } of files) await writeFile(join(folder, name), text);
  return files.map(({ name }) => shownPath(join(folder, name)));
}

/** `berth init`: writes the least that a stack's file needs, after the whole of it was checked. Asks nothing. */
export async function runInit(options: InitOptions, terminal: Terminal): Promise<number> {
  const path = options.path ?? stackFilePath(options.env);
  const place = shownPath(path);
  const kept = readStackConfig(options.env, path) ?? {};
  const { asked, filled } = wanted(options, kept);
  if (options.force !== true) checkReplaced(place, kept, asked);
  const config = { ...filled, ...kept, ...asked };
  const settings = checked(options.env, config, place);
  const plan = makeStackPlan(settings);
  const changes = Object.fromEntries(
    Object.entries(config).filter(([key, value]) => kept[key] !== value),
  );
  await mkdir(dirname(path), { recursive: true });
  await writeStackConfig(path, changes);
  const written = Object.entries(changes).map(([key, value]) => `  ${key}: ${configText(value)}`);
  terminal.say(
    written.length === 0 ? `${place} says all of that already.` : `Wrote ${place}:`,
    ...written,
    `It will be ${placeOf(settings, plan.ladder[0].instanceType)}. Look at it with: npm run berth -- plan --env ${options.env}`,
  );
  if (options.withCi === true) {
    const workflows = await writeWorkflows(settings);
    terminal.say(`Wrote ${workflows.join(" and ")}. examples/ci says what they do and need.`);
  }
  terminal.result({ path: place, changed: changes, config });
  return exitCode.ok;
}
