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
      ["--task <task>", "serve, finetune or train"],
      ["--region <regions>", "AWS region; further ones behind commas are compared"],
      ["--zones <zones>", "availability zones to try, in this order"],
      ["--context <tokens>", "tokens of prompt and answer together"],
      ["--concurrency <count>", "sequences served at once"],
      ["--prompt-tokens <tokens>", "tokens of a typical prompt"],
      ["--answer-tokens <tokens>", "tokens of a typical answer"],
      ["--precision <format>", "auto, native, fp8, int8, int4, q4_k_m and others"],
      ["--method <method>", "of a training: full, lora or qlora"],
      ["--training-precision <precision>", "fp32, amp or bf16"],
      ["--optimizer <name>", "adamw, adamw-8bit, adafactor or sgd"],
      ["--sequence <tokens>", "tokens of a training sequence"],
      ["--batch <count>", "sequences of one pass on one GPU"],
      ["--no-checkpointing", "keep all activations of a training"],
      ["--sharding <kind>", "none, zero-1, zero-2, zero-3 or fsdp"],
      ["--offload <what>", "none, optimizer or optimizer-and-weights"],
      ["--lora-rank <rank>", "of the adapters"],
      ["--tokens <count>", "tokens of the training data, such as 10M"],
      ["--epochs <count>", "times that the data are seen"],
      ["--types <types>", "only these instance types, with commas between"],
      ["--gpu-count <count>", "only types with so many GPUs"],
      ["--gpu-family <names>", "only these GPUs or EC2 families, such as L4,g5"],
      ["--arch <architecture>", "x86_64 or arm64"],
      ["--interconnect <kind>", "any, nvlink or efa"],
      ["--max-hourly-usd <usd>", "most that an hour may cost, volume included"],
      ["--budget-usd <usd>", "most that the lease, the job or a month may cost"],
      ["--quota <vcpus>", "vCPUs that the account may run, such as g=8,p=0"],
      ["--sagemaker-only", "only types that a SageMaker endpoint may have"],
      ["--monthly-hours <hours>", "hours a month that it runs (default: 730)"],
      ["--lease-hours <hours>", 'hours until teardown, or "none"'],
      ["--spot", "spot capacity"],
      ["--no-spot", "on-demand capacity"],
      ["--on-demand", "on-demand capacity"],
      ["--config <path>", "a model by its own files: a Hugging Face folder, config.json or .gguf"],
      ["--gpus <cards>", 'GPUs of your own, such as "2 x RTX 3090" or "RTX 3060 12GB"'],
      ["--local", "the GPUs of this machine, by nvidia-smi"],
      ["--electricity-usd-per-kwh <usd>", "of your own machine (default: 0.17)"],
      ["--explain", "the arithmetic behind the figures"],
      ["--html <file>", "write the plan as one page that needs no network"],
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
    syntax: "push <source>",
    summary: "weights into the stack's bucket: from hf:<owner>/<repository>, a folder or s3://",
    flags: [
      env,
      engine,
      licence,
      ["--plan", "say what would be sent, skipped and paid, and send nothing"],
      ["--include <glob...>", "only files that one of these fits"],
      ["--exclude <glob...>", "no files that one of these fits"],
      ["--allow-pickle <path...>", "pickled weights that may be sent, each by its path"],
      ["--prune", "remove what an earlier push brought and this one does not"],
      ["--take-over", "go on although another push seems to be under way"],
      ["--allow-cross-region", "a bucket in another region, although each crossing costs"],
      ["--kms-key <key>", "encrypt the objects with this KMS key"],
      ["--requester-pays", "pay for reading a source bucket of somebody else's"],
      ["--lanes <count>", "parts under way at once", "16"],
    ],
    run: async ([from = ""], flags, terminal) =>
      (await import("./commands/push.ts")).runPushCommand(from, flags as never, terminal),
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
    syntax: "sync",
    summary: "bring the weights of a running host up to date; only what changed is fetched",
    flags: [env, engine, ["--verify", "read every byte on the host instead, and compare it"]],
    run: async (_words, flags, terminal) =>
      (await import("./commands/sync.ts")).runSync(flags as never, terminal),
  },
  {
    syntax: "ssh [command...]",
    summary: "a shell on the host, or one command; only its pinned key is believed",
    flags: [env, engine],
    run: async (words, flags, terminal) =>
      (await import("./commands/ssh.ts")).runSshCommand(words, flags as never, terminal),
  },
  {
    syntax: "bootstrap",
    summary: "make a machine that is there already ready to serve, over SSH; asks no account",
    flags: [
      ["--host <user@address[:port]>", "the machine"],
      ["--known-host-key <key>", "its public SSH host key, a line or a file; no other is believed"],
      ["--dry-run", "say what would be done and why, and change nothing"],
      ["--facts <file>", "plan for recorded facts instead of a machine"],
      ["--engine <engine>", "what serves the model", "llama.cpp", ["llama.cpp", "vllm", "none"]],
      ["--torch <release>", 'a Python environment with this PyTorch, such as 2.0, or "newest"'],
      ["--containers", "NVIDIA's container toolkit too"],
      ["--gpu <model>", "what its GPUs must be (default: what it has)"],
      ["--gpus <count>", "how many it must have (default: as many as it has)"],
      ["--driver-branch <branch>", "driver branch, such as 580 (default: by the GPU)"],
      ["--modules <kind>", "kernel modules: open or closed (default: by the GPU)"],
      ["--replace-driver", "replace a driver that works"],
      ["--mirror <url>", "take NVIDIA's packages from there"],
      ["--mirror-keyring-sha256 <sum>", "SHA-256 of the mirror's cuda-keyring package"],
      ["--data-folder <path>", "where berth keeps its files on the machine", "/opt/berth"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("./commands/bootstrap.ts")).runBootstrap(flags as never, terminal),
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
