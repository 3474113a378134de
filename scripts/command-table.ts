import type { DemoOptions } from "./commands/demo.ts";
import type { Terminal } from "./adapters/terminal.ts";

/** Flags as commander gives them; each command names the ones that it has. */
export type Flags = Readonly<Record<string, unknown>>;

/** One command: how it is written, and what runs it. The module is loaded only when it is asked for. */
export interface CommandRow {
  /** Name and arguments, in commander's notation. */
  readonly syntax: string;
  readonly summary: string;
  /** Flags, what they mean, the default, and all values that are taken. */
  readonly flags: readonly (readonly [
    string,
    string,
    (string | undefined)?,
    (readonly string[])?,
  ])[];
  readonly run: (words: readonly string[], flags: Flags, terminal: Terminal) => Promise<number>;
}

const env = [
  "--env <stack>",
  "stack: dev, staging, prod, local, or one named after them",
  "dev",
] as const;
const engine = [
  "--engine <engine>",
  "what runs the program: the Pulumi CLI of the PATH, or the one that comes with berth",
  "auto",
  ["auto", "pulumi", "offline"],
] as const;
const licence = [
  "--accept-licence <name>",
  "accept the licence of a gated model, by its name in the plan",
] as const;

const modelTasks = ["text-generation", "code", "multimodal", "image-generation"] as const;

/** Every command of `berth`. */
export const commandTable: readonly CommandRow[] = [
  {
    syntax: "plan [model]",
    summary: "say what would be deployed, why, what it costs and when it ends; asks no account",
    flags: [
      env,
      ["--region <region>", "AWS region"],
      ["--target <target>", "ec2 or sagemaker"],
      ["--context <tokens>", "tokens of prompt and answer together"],
      ["--concurrency <count>", "sequences served at once"],
      ["--precision <precision>", "auto, native, int8 or int4"],
      ["--types <types>", "only these instance types, with commas between"],
      ["--gpus <count>", "only types with so many GPUs"],
      ["--lease-hours <hours>", 'hours until teardown, or "none"'],
      ["--spot", "spot capacity"],
      ["--no-spot", "on-demand capacity"],
      ["--list", "name every model of the catalogue"],
    ],
    run: async ([model], flags, terminal) =>
      (await import("./commands/plan.ts")).runPlan(model, flags as never, terminal),
  },
  {
    syntax: "catalogue [action] [model]",
    summary: "list the models, show one, or refresh types, prices and quotas from AWS",
    flags: [
      ["--task <task>", "only models for it", undefined, modelTasks],
      ["--family <name>", "only models whose family has this in its name"],
      ["--max-gib <size>", "only models whose files are no larger"],
      ["--config <path>", "show: a model's folder, config.json or .gguf file"],
      ["--region <regions...>", "refresh: regions to ask for (default: those with prices)"],
      ["--env <stack>", "refresh: local asks the emulated AWS", "dev"],
      ["--dry-run", "refresh: say what would change, write nothing"],
    ],
    run: async (words, flags, terminal) =>
      (await import("./commands/catalogue.ts")).runCatalogue(words, flags, terminal),
  },
  {
    syntax: "init",
    summary: "write what a stack's file needs, and no more; asks nothing",
    flags: [
      env,
      ["--model <model>", "a model of the catalogue, or its Hugging Face repository"],
      ["--owner <owner>", "who pays and is asked; becomes a tag (default: the user's name)"],
      ["--ssh-cidr <cidr>", "where SSH may come from, such as 203.0.113.7/32"],
      ["--ssh-public-key <key>", "a .pub file or its line (default: ~/.ssh/id_ed25519.pub)"],
      ["--region <region>", "AWS region (default: us-east-1)"],
      ["--weights-bucket <bucket>", "bucket that has the weights already"],
      ["--set <key=value...>", "any other setting"],
      ["--force", "replace what the file says already"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("./commands/init.ts")).runInit(flags as never, terminal),
  },
  {
    syntax: "preview",
    summary: "the plan, and every resource that `up` would make, change or remove",
    flags: [env, engine],
    run: async (_words, flags, terminal) =>
      (await import("./commands/preview.ts")).runPreview(flags as never, terminal),
  },
  {
    syntax: "up",
    summary: "deploy: plan, steps with their time, outputs, cost and deadline",
    flags: [env, engine, licence],
    run: async (_words, flags, terminal) =>
      (await import("./commands/up.ts")).runUp(flags as never, terminal),
  },
  {
    syntax: "status",
    summary: "host, answer, cost so far and time left",
    flags: [env, engine, ["--no-probe", "do not log in to ask the model server"]],
    run: async (_words, flags, terminal) =>
      (await import("./commands/status.ts")).runStatus(flags as never, terminal),
  },
  {
    syntax: "ssh [command...]",
    summary: "a shell on the host, or one command; only its pinned key is believed",
    flags: [env, engine],
    run: async (words, flags, terminal) =>
      (await import("./commands/ssh.ts")).runSshCommand(words, flags as never, terminal),
  },
  {
    syntax: "invoke <prompt...>",
    summary: "ask the model, on either target, and print its answer as it is made",
    flags: [
      env,
      engine,
      ["--max-tokens <count>", "tokens of the answer at most", "256"],
      ["--temperature <number>", "from 0, which takes the likeliest word, to 2"],
      ["--top-p <share>", "share of the likelihood that words are taken from, 0 to 1"],
      ["--template <text>", "what the prompt is put into, at {prompt}"],
      ["--no-stream", "wait for the whole answer"],
    ],
    run: async (words, flags, terminal) =>
      (await import("./commands/invoke.ts")).runInvoke(words, flags as never, terminal),
  },
  {
    syntax: "down",
    summary: "remove everything of the stack, then ask the account what is left",
    flags: [env, engine],
    run: async (_words, flags, terminal) =>
      (await import("./commands/down.ts")).runDown(flags as never, terminal),
  },
  {
    syntax: "cloud",
    summary: "run the emulated AWS in the foreground, for --env local; Ctrl-C ends it",
    flags: [["--tier <tier>", "what machines are", "auto", ["auto", "nspawn", "process", "none"]]],
    run: async (_words, flags, terminal) =>
      (await import("./commands/cloud.ts")).runCloud(flags as never, terminal),
  },
  {
    syntax: "demo",
    summary: "the whole way in the emulated AWS, from the plan to the receipt",
    flags: [
      ["--engine <engine>", "what runs the program", "offline", ["auto", "pulumi", "offline"]],
      ["--tier <tier>", "what machines are", "auto", ["auto", "nspawn", "process"]],
      ["--keep", "stop before the teardown, until Ctrl-C"],
      ["--target <target>", "what it deploys to", "ec2", ["ec2", "sagemaker"]],
    ],
    run: async (_words, flags, terminal) => {
      const { runDemo } = await import("./commands/demo.ts");
      return runDemo({ ...(flags as never as DemoOptions), json: terminal.json });
    },
  },
];
