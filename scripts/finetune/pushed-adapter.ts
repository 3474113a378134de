import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  adapterProblems,
  mostAdapters,
  parseAdapterConfig,
  reservedRank,
  storedAdapters,
  usualAdapterRank,
  type AdapterConfig,
  type StoredAdapter,
} from "../../components/model-server/adapters.ts";
import { usualEngine } from "../../components/sizing/usual-engine.ts";
import { UserError } from "../../components/user-error.ts";
import { stackFilePath } from "../adapters/repository.ts";
import { writeStackConfig, type StackConfig } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { readPushStack, type PushStack } from "../push/find-target.ts";
import { contentVersion } from "./content-version.ts";
import { readJobFolder } from "./host-job.ts";
import type { TunedModel } from "./tuned-model.ts";

/** Where an adapter's files are, and what it was trained over where that is known for sure. */
interface AdapterFolder {
  readonly folder: string;
  readonly base: string | undefined;
}

/** A folder of PEFT's, or that of a training which has made one. */
function adapterFolder(path: string, env: string): AdapterFolder {
  const given = resolve(path);
  if (existsSync(join(given, "adapter_config.json"))) return { folder: given, base: undefined };
  const job = readJobFolder(path);
  const folder = join(job.folder, "output/adapter");
  const isFinished = existsSync(join(job.folder, "output/finished.json"));
  if (isFinished && existsSync(join(folder, "adapter_config.json"))) {
    return { folder, base: job.modelId };
  }
  throw new UserError(`${path} has no adapter on this machine.`, {
    hint: `Bring it here when the training is finished: npm run berth -- train fetch ${path} --env ${env}. A training of every weight makes none: push it with job:${path}`,
  });
}

function configOf(folder: string): AdapterConfig {
  const config = parseAdapterConfig(readFileSync(join(folder, "adapter_config.json"), "utf8"));
  if (config !== undefined) return config;
  throw new UserError(`${folder}/adapter_config.json is not as PEFT writes it.`, {
    hint: "Give a folder that PEFT's save_pretrained has written.",
  });
}

function stackProblems({ settings, model }: PushStack, base: string | undefined): string[] {
  if (settings.target !== "ec2") {
    return [`${settings.stack} is no GPU host of berth's, on which vLLM serves adapters`];
  }
  const engine = settings.engine ?? usualEngine(model);
  return [
    ...(engine === "vllm" ? [] : [`${settings.stack} serves by ${engine}, and adapters by vLLM`]),
    ...(base === undefined || base === model.id
      ? []
      : [`it was trained over ${base}, and ${settings.stack} serves ${model.id}`]),
  ];
}

function nameProblems(name: string, stack: PushStack): string[] {
  const { model } = stack;
  return [
    ...(/^[a-z0-9][a-z0-9.+-]{0,62}$/.test(name)
      ? []
      : [`--as ${name}: small letters, digits, points, plus signs and hyphens; 63 at most`]),
    ...(name === model.id ? [`--as ${name}: that is the model itself`] : []),
    ...(otherAdapters(stack.settings, name).length >= mostAdapters
      ? [`berth:adapters names ${mostAdapters} already, and no more are served beside a model`]
      : []),
  ];
}

/** What the stack serves beside its model, but for earlier versions of this one. */
function otherAdapters(settings: PushStack["settings"], name: string): readonly StoredAdapter[] {
  const before = storedAdapters(settings.target === "ec2" ? settings.adapters : []);
  return before.filter((each) => each.name !== name);
}

/** What the stack's file says with this adapter, which takes the place of an earlier version of it. */
export function adapterSettings(
  settings: PushStack["settings"],
  { name, prefix, rank }: StoredAdapter & { readonly rank: number },
): StackConfig {
  const { adapterRank } = settings.target === "ec2" ? settings : {};
  const others = otherAdapters(settings, name);
  // Those that are there may need the rank that was reserved for them so far.
  const reserved = adapterRank ?? (others.length === 0 ? rank : usualAdapterRank);
  const entries = [...others, { name, prefix }].map((each) => `${each.name}=${each.prefix}`);
  return {
    "berth:adapters": entries.join(", "),
    "berth:adapterRank": Math.max(rank, reserved),
  };
}

/**
 * Makes a training's adapter something that the stack's host serves beside its model, without a merge. Its files get a place of
 * their own for each content.
 *
 * @param path of a job's folder, or of one that PEFT wrote
 * @throws UserError with everything that keeps vLLM on the stack's host from serving it
 */
export async function pushedAdapter(
  path: string,
  asked: string | undefined,
  stack: PushStack,
  terminal: Terminal,
): Promise<TunedModel> {
  const { settings, model } = stack;
  const env = settings.stack;
  const { folder, base } = adapterFolder(path, env);
  const config = configOf(folder);
  const name = asked ?? `${model.id}-tuned`;
  const problems = [
    ...stackProblems(stack, base),
    ...nameProblems(name, stack),
    ...adapterProblems(config),
    ...(existsSync(join(folder, "adapter_model.safetensors"))
      ? []
      : ["adapter_model.safetensors is missing"]),
  ];
  if (problems.length > 0) {
    throw new UserError(`${path} cannot be served beside the model of ${env}.`, {
      problems,
      hint: `Name another stack with --env, or merge it: npm run berth -- push job:${path} --env ${env}`,
    });
  }
  const rank = reservedRank(config.r) ?? config.r;
  const prefix = `adapters/${model.id}/${name}/${await contentVersion(folder)}/`;
  const over = base ?? config.base_model_name_or_path ?? "a model that it does not name";
  terminal.say(`adapter    ${name}: rank ${config.r} over ${over}, served beside ${model.id}`);
  const keep = async (told: Terminal): Promise<void> => {
    // The file is read anew: a push takes long, and another one may have written to it meanwhile.
    const now = readPushStack(env).settings;
    await writeStackConfig(stackFilePath(env), adapterSettings(now, { name, prefix, rank }));
    told.say(
      `written    stacks/Pulumi.${env}.yaml serves ${name} from ${prefix}`,
      `next       npm run berth -- up --env ${env}, then: npm run berth -- invoke "..." --env ${env} --model ${name}`,
    );
  };
  return { folder, stack: { ...stack, prefix }, keep };
}
