import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { option } from "./sync/workbench.ts";

/** CRT in older AWS CLIs knows port 80 alone, which needs root. */
export const crtAt = "127.0.0.74";
export const crtProgram = process.env["BERTH_BENCH_AWS_CRT"];
const crtConfig = join(tmpdir(), "berth-bench-aws-crt");
const crtSettings =
  "[default]\ns3 =\n  preferred_transfer_client = crt\n  addressing_style = path\n";

/** What a run took. */
export interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Runs a command with the shell's clock. */
export async function timed(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Cost> {
  const script = 'TIMEFORMAT="@%R %U %S"; time "$@" >/dev/null';
  const child = spawn("bash", ["-c", script, "bash", ...words], {
    // rclone 1.60 stops over the variable.
    env: { ...environment, AWS_CA_BUNDLE: undefined },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (piece: Buffer) => (text += piece.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const [, real, user, system] = /@([\d.]+) ([\d.]+) ([\d.]+)/.exec(text) ?? [];
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${String(code)}: ${text}`);
  const inside = /inside.*/.exec(text)?.[0];
  if (inside !== undefined) console.log(`    ${inside}`);
  return { seconds: Number(real), cpuSeconds: Number(user) + Number(system) };
}

const bench = ["--import", "tsx", join(import.meta.dirname, "push.ts")];
const s5cmd = process.env["BERTH_BENCH_S5CMD"] ?? "s5cmd";
const aws = process.env["BERTH_BENCH_AWS"] ?? "aws";
const endpoint = (): string => process.env["AWS_ENDPOINT_URL"] ?? "";

/** A tool that brings a folder below `m/` of a bucket. */
type Tool = (folder: string, bucket: string) => readonly string[];

export const tools: Readonly<Record<string, Tool>> = {
  "berth push": (folder, bucket) => [process.execPath, ...bench, "push", folder, bucket],
  rclone: (folder, bucket) => [
    ...["rclone", "copy", "--transfers", "16", "--s3-upload-concurrency", "16"],
    ...["--s3-chunk-size", "16M", "--s3-env-auth", "--s3-provider", "Other"],
    ...["--s3-endpoint", endpoint(), "--s3-no-check-bucket"],
    ...[folder, `:s3:${bucket}/m`],
  ],
  s5cmd: (folder, bucket) => [
    ...[s5cmd, "--endpoint-url", endpoint(), "--log", "error"],
    ...["cp", `${folder}/`, `s3://${bucket}/m/`],
  ],
  "aws crt": (folder, bucket) => [
    ...["env", `AWS_CONFIG_FILE=${crtConfig}`, crtProgram ?? "", "--endpoint-url"],
    ...[`http://${crtAt}`, "s3", "sync", "--only-show-errors", folder, `s3://${bucket}/m/`],
  ],
  "aws sync": (folder, bucket) => [
    ...[aws, "s3", "sync", "--only-show-errors", folder, `s3://${bucket}/m/`],
  ],
  "server alone": (folder, bucket) => [process.execPath, ...bench, "ceiling", folder, bucket],
};

/** Whether this machine has a tool, and it is wanted (`--only`). */
export function present(name: string): boolean {
  const only = option("--only")?.split(",");
  if (only !== undefined && !only.includes(name)) return false;
  if (name === "aws crt") {
    if (crtProgram !== undefined) writeFileSync(crtConfig, crtSettings);
    return crtProgram !== undefined;
  }
  const [program = ""] = tools[name]?.("", "") ?? [];
  return spawnSync("which", [program]).status === 0;
}
