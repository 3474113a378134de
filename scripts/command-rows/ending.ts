import { engine, env, type CommandRow } from "./row.ts";

/** Settings that a comparison supposes. */
const set = ["--set <key=value...>", "suppose these settings of the first stack"] as const;

/** How long it lasts, what it costs, and how it ends. */
export const ending: readonly CommandRow[] = [
  {
    syntax: "extend <time>",
    summary: "give it more time, such as 4h, 90m or 2d: every layer that would end it, or none",
    flags: [env, engine],
    run: async ([time = ""], flags, terminal) =>
      (await import("../commands/extend.ts")).runExtend(time, flags as never, terminal),
  },
  {
    syntax: "protect",
    summary: "keep deadline, sweeps and `down` from it, until --off",
    flags: [env, engine, ["--off", "take the protection away"]],
    run: async (_words, flags, terminal) =>
      (await import("../commands/protect.ts")).runProtect(flags as never, terminal),
  },
  {
    syntax: "stop",
    summary: "delete an endpoint and keep its model and configuration; `start` makes it again",
    flags: [env, engine],
    run: async (_words, flags, terminal) =>
      (await import("../commands/stop.ts")).runStop(flags as never, terminal),
  },
  {
    syntax: "start",
    summary: "make a stopped endpoint again, within its lease",
    flags: [env, engine],
    run: async (_words, flags, terminal) =>
      (await import("../commands/start.ts")).runStart(flags as never, terminal),
  },
  {
    syntax: "down",
    summary: "remove everything of the stack, then ask the account what is left",
    flags: [
      env,
      engine,
      ["--yes", "do not ask; needed where nobody can be asked"],
      ["--if-over", "only when its lease is over; else do nothing"],
      ["--if-closed", "only outside of its office hours; else do nothing"],
      ["--force", "take a protected deployment down too"],
      ["--save <path...>", "save these of the host in S3 first; without them nothing goes"],
      ["--save-to <uri>", "s3://bucket/prefix (default: saved/ in the stack's weights bucket)"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/down.ts")).runDown(flags as never, terminal),
  },
  {
    syntax: "env <action> <one> <other>",
    summary: "diff: what two stacks do differently, and whether flag, file or policy says so",
    flags: [set],
    run: async ([action = "", one = "", other = ""], flags, terminal) =>
      (await import("../commands/diff.ts")).runEnv(action, [one, other], flags, terminal),
  },
  {
    syntax: "diff <one> <other>",
    summary: "the same as env diff; asks no account",
    flags: [set],
    run: async ([one = "", other = ""], flags, terminal) =>
      (await import("../commands/diff.ts")).runDiff([one, other], flags, terminal),
  },
  {
    syntax: "audit",
    summary:
      "everything berth made in the account: age, owner, price, deadline; images and untagged GPUs too",
    flags: [
      env,
      ["--regions <regions>", "with commas between (default: all that are enabled)"],
      ["--own", "only deployments of this stack and of its file's owner"],
      ["--fix", "remove what is over, and old images, if it is so at a second look"],
      ["--wait <seconds>", "between the two looks; 60, and 2 in the emulated account"],
      ["--yes", "do not ask; needed where nobody can be asked"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/audit.ts")).runAudit(flags as never, terminal),
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
      ["--compare", "ask Cost Explorer too, for $0.01, and show the ledger's error"],
      ["--egress", "ask CloudWatch what hosts sent, and show the most that it can have cost"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/cost.ts")).runCost(flags as never, terminal),
  },
];
