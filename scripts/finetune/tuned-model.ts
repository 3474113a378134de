import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { findModel } from "../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import type { Model } from "../../components/catalogue/model.ts";
import { UserError } from "../../components/user-error.ts";
import { stackFilePath } from "../adapters/repository.ts";
import { writeStackConfig } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import type { PushStack } from "../push/find-target.ts";
import { contentVersion, sha256Of } from "./content-version.ts";
import { readJobFolder, type JobFolder } from "./host-job.ts";
import { parsedJson } from "./parsed-json.ts";
import { checkTunedName, tunedRow } from "./tuned-row.ts";

/** A trained model that can be pushed and served. */
export interface TunedModel {
  /** Its files, on this machine. */
  readonly folder: string;
  /** The stack as it is with this model. */
  readonly stack: PushStack;
  /** Has the stack serve it: its row in the catalogue, then its name and place in the stack's file. */
  readonly keep: (terminal: Terminal) => Promise<void>;
}

/** What is asked of it. */
export interface TunedWishes {
  /** Its name. @default `<base model>-tuned` */
  readonly name: string | undefined;
  /** Only say what would be done. */
  readonly planOnly: boolean;
}

const finishedSchema = z.looseObject({ result: z.enum(["adapter", "model"]), step: z.number() });
const provenanceSchema = z.looseObject({ adapterSha256: z.string().optional() });

/** GiB of weights that are larger than the base model's, since they were learnt in 32 bit; undefined where they are not. */
function inFullGiB(folder: string, { weightsGiB = Infinity }: Model): number | undefined {
  const bytes = readdirSync(folder)
    .filter((name) => name.endsWith(".safetensors"))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  const ownGiB = bytes / 1024 ** 3;
  return ownGiB > 1.5 * weightsGiB ? Number(ownGiB.toPrecision(4)) : undefined;
}

/** @throws UserError when the training has no result on this machine */
function resultOf({ folder }: JobFolder, env: string): z.infer<typeof finishedSchema> {
  const path = join(folder, "output/finished.json");
  const finished = existsSync(path)
    ? finishedSchema.safeParse(parsedJson(readFileSync(path, "utf8"))).data
    : undefined;
  const there = finished !== undefined && existsSync(join(folder, "output", finished.result));
  if (there) return finished;
  throw new UserError(`${folder} has no result on this machine.`, {
    hint: `Bring it here when the training is finished: npm run berth -- train fetch ${folder} --env ${env}`,
  });
}

async function isMerged(output: string): Promise<boolean> {
  const path = join(output, "model/provenance.json");
  if (!existsSync(path)) return false;
  const { data } = provenanceSchema.safeParse(parsedJson(readFileSync(path, "utf8")));
  const adapter = await sha256Of(join(output, "adapter/adapter_model.safetensors"));
  return data?.adapterSha256 === adapter;
}

/** @throws UserError with what merge.py said when it ended with an error */
async function merge({ folder, baseModel }: JobFolder, terminal: Terminal): Promise<void> {
  const own = join(folder, ".venv/bin/python");
  const python = existsSync(own) ? own : "python3";
  terminal.say(`merge      ${baseModel} and the adapter, on this machine's processors`);
  const child = spawn(python, ["merge.py"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => lines.push(line));
  }
  const code = await once(child, "close").then(
    ([ended]) => ended as number | null,
    (error: unknown) => {
      lines.push(error instanceof Error ? error.message : String(error));
      return null;
    },
  );
  if (code === 0) return;
  const told = lines.filter((line) => line.trim() !== "").slice(-4);
  const lacksPackages = told.some((line) => /ModuleNotFoundError|ENOENT/.test(line));
  throw new UserError(`The adapter could not be merged into ${baseModel}.`, {
    problems: told,
    hint: lacksPackages
      ? `Give the folder its packages first: cd ${folder} && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt`
      : `By hand: cd ${folder} && .venv/bin/python merge.py --base <folder of the base model>. What it has made is taken from there.`,
  });
}

/** @throws UserError for a base model that a row of the catalogue cannot begin with */
function baseOf(job: JobFolder): Model {
  const base = exactModel(job.modelId);
  const byHand = `Push its files by themselves, to a stack whose model they are: npm run berth -- push ${job.folder}/output/model`;
  if (base === undefined) {
    throw new UserError(
      `${job.modelId}, which it was trained from, is no model of the catalogue.`,
      {
        hint: `Add a row for it to berth.catalogue.yaml (docs/catalogue.md). ${byHand}`,
      },
    );
  }
  if (base.quantisation === undefined) return base;
  throw new UserError(
    `${base.id} has ${base.quantisation.method} weights, and what is merged has not.`,
    {
      hint: `Add a row of the merged model to berth.catalogue.yaml, with its size. ${byHand}`,
    },
  );
}

function exactModel(id: string): Model | undefined {
  try {
    const found = findModel(id, loadCatalogue());
    return found.id === id ? found : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Holds a push to a stack that could not serve what is pushed.
 *
 * @throws UserError when it serves something else than the base model or an earlier model of this name, or from an archive, which
 *   it would go on serving under the new name
 */
export function checkStack(
  { settings, model }: Pick<PushStack, "settings" | "model">,
  base: Pick<Model, "id">,
  name: string,
): void {
  if (settings.target === "sagemaker" && settings.endpointMode === "serverless") {
    throw new UserError(
      `${settings.stack} is a serverless endpoint, which unpacks an archive of GGUF files.`,
      {
        hint: "Push to a stack with another berth:endpointMode; or make a GGUF file of it, and the archive of that (docs/finetune.md, For llama.cpp).",
      },
    );
  }
  if (model.id === base.id || model.id === name) return;
  throw new UserError(
    `${settings.stack} serves ${model.id}, and the training began with ${base.id}.`,
    {
      hint: `Name a stack of ${base.id} with --env, or write one: npm run berth -- init --env <name> --model ${base.id}`,
    },
  );
}

/**
 * Makes a training's result a model that the stack can serve: an adapter is merged into its base model first, by the folder's own
 * merge.py. Its weights get a place of their own for each content, so that an endpoint in use never sees others in their place.
 *
 * @returns undefined when only the plan was asked for, and there is nothing merged to plan from
 * @throws UserError when there is no result, the name is taken, or it cannot be merged
 */
export async function tunedModel(
  path: string,
  { name: asked, planOnly }: TunedWishes,
  stack: PushStack,
  terminal: Terminal,
): Promise<TunedModel | undefined> {
  const job = readJobFolder(path);
  const env = stack.settings.stack;
  const base = baseOf(job);
  const name = asked ?? `${base.id}-tuned`;
  checkStack(stack, base, name);
  const { result } = resultOf(job, env);
  const output = join(job.folder, "output");
  checkTunedName(name, base);
  if (result === "adapter" && !(await isMerged(output))) {
    if (planOnly) {
      terminal.say(
        `merge      ${job.baseModel} and the adapter first; then the plan of what is sent`,
      );
      return undefined;
    }
    await merge(job, terminal);
  }
  const folder = join(output, "model");
  const version = await contentVersion(folder);
  const weightsGiB = result === "model" ? inFullGiB(folder, base) : undefined;
  const row = tunedRow(name, { base, job: job.name, version, weightsGiB });
  const prefix = `${name}/${version}/`;
  terminal.say(
    `model      ${name}: ${base.id} with what ${job.name} learnt, under its licence (${base.licence ?? "unknown"})`,
  );
  const keep = async (told: Terminal): Promise<void> => {
    await row.keep();
    const config = { "berth:model": name, "berth:weightsPrefix": prefix };
    await writeStackConfig(stackFilePath(env), config);
    told.say(
      `written    berth.catalogue.yaml has ${name}; stacks/Pulumi.${env}.yaml serves it from ${prefix}`,
      `next       npm run berth -- up --env ${env}`,
    );
  };
  return { folder, stack: { ...stack, model: row.model, prefix }, keep };
}
