import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Context } from "mocha";
import { cacheFolder } from "../../../offline/cloud/cache-folder.ts";
import { needs } from "../../support/tier.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const requirements = join(here, "requirements.txt");

/** The Debian tree with PyTorch, from the cache folder; it is made there when it is not. */
export async function makeTree(context: Context): Promise<string> {
  const there = (program: string) => spawnSync("which", [program]).status === 0;
  const able = process.getuid?.() === 0 && there("debootstrap") && there("unshare");
  needs(context, "a Debian tree", able, "it takes root, debootstrap and unshare");
  const maker = join(here, "make-tree.sh");
  const recipe = createHash("sha256")
    .update(readFileSync(maker))
    .update(readFileSync(requirements));
  const name = `training-${recipe.digest("hex").slice(0, 12)}`;
  const tree = join(cacheFolder(), name);
  if (existsSync(tree)) return tree;
  await mkdir(cacheFolder(), { recursive: true });
  for (const old of await readdir(cacheFolder())) {
    if (old.startsWith("training-")) rmSync(join(cacheFolder(), old), { recursive: true });
  }
  const { status, stderr } = spawnSync(maker, [tree, requirements], {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (status !== 0) throw new Error(`make-tree.sh ended with ${status}:\n${stderr.slice(-3000)}`);
  return tree;
}

/** A folder of fine-tunings, and the tree that they run in. */
export class Work {
  readonly folder: string;
  readonly requirements = requirements;
  /** What the last command printed, on both outputs. */
  said = "";
  readonly tree: string;

  constructor(tree: string, folder: string) {
    this.tree = tree;
    this.folder = folder;
    // The programs look at the folder as root of the tree, which is root here too.
    chmodSync(folder, 0o755);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  json(name: string): Record<string, unknown> {
    return JSON.parse(readFileSync(this.path(name), "utf8")) as Record<string, unknown>;
  }

  /** The loss of each step, the last one that was written for it. */
  losses(job: string): ReadonlyMap<number, number> {
    const lines = readFileSync(this.path(`${job}/output/progress.jsonl`), "utf8").trimEnd();
    const losses = new Map<number, number>();
    for (const line of lines.split("\n")) {
      const { step, loss } = JSON.parse(line) as { step: number; loss?: number };
      if (loss !== undefined) losses.set(step, loss);
    }
    return losses;
  }

  /** Writes the samples to train.jsonl, and makes of them the tiny Llama in `base`. */
  async makeBase(text: string): Promise<void> {
    writeFileSync(this.path("train.jsonl"), text);
    await this.python("make_model.py", "/work/train.jsonl", "/work/base");
  }

  /** Has `berth finetune` write a folder that trains the tiny Llama. @returns what it said */
  async finetune(name: string, ...words: readonly string[]): Promise<string> {
    // Imported as the commands import each other; a required copy would have a UserError of its own.
    const { runBerth } = await import("../../../scripts/cli/run-berth.ts");
    let said = "";
    const keep = (text: string) => (said += text);
    const all = [
      ...["finetune", "--config", this.path("base"), "--base", "/work/base"],
      ...["--data", this.path("train.jsonl"), "--out", this.path(name)],
      ...["--training-precision", "fp32", "--epochs", "2", "--learning-rate", "0.003", ...words],
    ];
    const code = await runBerth(all, { out: keep, err: keep, interactive: false });
    if (code !== 0) throw new Error(`berth finetune ended with ${code}:\n${said}`);
    return said;
  }

  #start(command: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.said = "";
    const child = spawn(join(here, "inside.sh"), [this.tree, this.folder, ...command], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
    }
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { child, ended };
  }

  /** Runs a command in the tree. @returns its exit code */
  async inside(...command: readonly string[]): Promise<number | null> {
    return this.#start(command).ended;
  }

  /** Runs a program of this folder; it has to end well. */
  async python(program: string, ...words: readonly string[]): Promise<void> {
    copyFileSync(join(here, program), this.path(program));
    const code = await this.inside("python3", `/work/${program}`, ...words);
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${this.said.slice(-3000)}`);
  }

  /** Runs a fine-tuning. @returns its exit code */
  async run(
    job: string,
    flags: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<number | null> {
    const code = await this.#start(this.#command(job, flags), environment).ended;
    writeFileSync(this.path(`${job}.log`), this.said);
    return code;
  }

  /** Runs a fine-tuning that has to end well. @throws Error with its last words when it does not */
  async finish(...run: Parameters<Work["run"]>): Promise<void> {
    const code = await this.run(...run);
    if (code !== 0) throw new Error(`${run[0]} ended with ${code}:\n${this.said.slice(-3000)}`);
  }

  /** Runs a fine-tuning, and kills all of its processes at once when it has come so far. */
  async killWhen(job: string, flags: readonly string[], reached: () => boolean): Promise<void> {
    const { child, ended } = this.#start(this.#command(job, flags));
    while (!reached() && child.exitCode === null) await sleep(50);
    child.kill("SIGKILL");
    await ended;
  }

  #command(job: string, flags: readonly string[]): readonly string[] {
    return ["bash", "-c", `cd /work/${job} && exec ./run.sh "$@"`, "run", ...flags];
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
