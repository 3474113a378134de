import type { DemoOptions } from "../commands/demo.ts";
import type { CommandRow } from "./row.ts";

/** The whole of it without an account. */
export const trying: readonly CommandRow[] = [
  {
    syntax: "cloud",
    summary: "run the emulated AWS in the foreground, for --env local; Ctrl-C ends it",
    flags: [["--tier <tier>", "what machines are", "auto", ["auto", "nspawn", "process", "none"]]],
    run: async (_words, flags, terminal) =>
      (await import("../commands/cloud.ts")).runCloud(flags as never, terminal),
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
      const { runDemo } = await import("../commands/demo.ts");
      return runDemo({ ...(flags as never as DemoOptions), json: terminal.json });
    },
  },
];
