import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { MachineSpec } from "../../../../offline/cloud/machines/machine.ts";
import { answers } from "./support.ts";

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Processes, of any session, that are the machine's by their command line, environment or root. */
function processes(spec: MachineSpec): string[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    const command = textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    const whole = command + textOf(`/proc/${pid}/environ`) + textOf(`/proc/${pid}/cgroup`);
    return whole.includes(spec.instanceId) ? [`process ${pid} ${command}`] : [];
  });
}

function lines(command: string, args: readonly string[]): string[] {
  try {
    return execFileSync(command, args, { encoding: "utf8" }).split("\n");
  } catch {
    return [];
  }
}

/** All that still tells of a machine on this host; empty when it is wholly gone. */
export async function traces(spec: MachineSpec, address: string): Promise<string[]> {
  const near = address.split(".").slice(0, 3).join(".");
  const found = processes(spec);
  if (existsSync(spec.folder)) found.push(`folder ${spec.folder}`);
  if (textOf("/proc/self/mountinfo").includes(spec.folder)) found.push("mount");
  if (lines("losetup", ["-a"]).some((line) => line.includes(spec.folder)))
    found.push("loop device");
  if (
    near !== "127.0.0" &&
    lines("ip", ["-4", "address"]).some((line) => line.includes(` ${near}.`))
  )
    found.push(`link with an address like ${address}`);
  const groups = lines("find", ["/sys/fs/cgroup", "-type", "d", "-name", `*${spec.instanceId}*`]);
  found.push(...groups.filter((line) => line !== "").map((line) => `control group ${line}`));
  if (await answers(address, spec.sshPort)) found.push(`SSH server on ${address}:${spec.sshPort}`);
  return found;
}
