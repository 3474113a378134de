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
      ["--with-ci", "write a workflow that takes it down when its lease is over"],
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
    syntax: "extend <time>",
    summary: "give it more time, such as 4h, 90m or 2d: every layer that would end it, or none",
    flags: [env, engine],
    run: async ([time = ""], flags, terminal) =>
      (await import("./commands/extend.ts")).runExtend(time, flags as never, terminal),
  },
  {
    syntax: "protect",
    summary: "keep deadline, sweeps and `down` from it, until --off",
    flags: [env, engine, ["--off", "take the protection away"]],
    run: async (_words, flags, terminal) =>
      (await import("./commands/protect.ts")).runProtect(flags as never, terminal),
  },
  {
    syntax: "down",
    summary: "remove everything of the stack, then ask the account what is left",
    flags: [
      env,
      engine,
      ["--yes", "do not ask; needed where nobody can be asked"],
      ["--if-over", "only when its lease is over; else do nothing"],
      ["--force", "take a protected deployment down too"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("./commands/down.ts")).runDown(flags as never, terminal),
  },
  {
    syntax: "diff <one> <other>",
    summary:
      "what two stacks do differently, by their files and their environments; asks no account",
    flags: [],
    run: async ([one = "", other = ""], _flags, terminal) =>
      (await import("./commands/diff.ts")).runDiff(one, other, terminal),
  },
  {
    syntax: "audit",
    summary: "everything berth made in the account: age, owner, price, deadline; untagged GPUs too",
    flags: [
      env,
      ["--regions <regions>", "with commas between (default: all that are enabled)"],
      ["--fix", "remove what is over, by its tags, if it is so at a second look"],
      ["--wait <seconds>", "between the two looks", "60"],
      ["--yes", "do not ask; needed where nobody can be asked"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("./commands/audit.ts")).runAudit(flags as never, terminal),
  },
  {
    syntax: "cost",
    summary: "what ran and what it cost, by the prices at launch",
    flags: [
      env,
      [
        "--by <what>",
        "what to sum by",
        "stack",
        ["env", "owner", "model", "day", "stack", "kind", "runId"],
      ],
      ["--regions <regions>", "with commas between (default: the stack's own)"],
      ["--csv <file>", "write every line in FOCUS's columns"],
      ["--html <file>", "write a chart and tables, in one file"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("./commands/cost.ts")).runCost(flags as never, terminal),
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
    ],
    run: async (_words, flags, terminal) => {
      const { runDemo } = await import("./commands/demo.ts");
      return runDemo({ ...(flags as never as DemoOptions), json: terminal.json });
    },
  },
];
