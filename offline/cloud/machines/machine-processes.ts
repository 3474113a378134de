import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** The variable that marks every process of a machine, whatever session it went to. */
export const machineMark = "BERTH_MACHINE";

/** Processes of a machine, found by the mark in their environment; none where there is no /proc. */
export function processesOf(instanceId: string): readonly number[] {
  const mark = `${machineMark}=${instanceId}`;
  let names: string[];
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names.map(Number).filter((pid) => {
    if (pid === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(mark);
    } catch {
      return false;
    }
  });
}

/** Ends every process of a machine; looks again until none is left, since one may have started another. */
export async function endProcesses(instanceId: string): Promise<void> {
  for (let round = 0; round < 50; round += 1) {
    const left = processesOf(instanceId);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended by itself meanwhile.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Starts a guard that does what is left to do when this process is killed: it waits for the end of its standard input, then
 * kills the machine's processes and removes its folder.
 */
export function startGuard(instanceId: string, folder: string): ChildProcess {
  const script = `
    cat >/dev/null
    for round in 1 2 3; do
      for environ in /proc/[0-9]*/environ; do
        if tr '\\0' '\\n' <"$environ" 2>/dev/null | grep -qx '${machineMark}=${instanceId}'; then
          pid=\${environ#/proc/}
          kill -9 "\${pid%/environ}" 2>/dev/null
        fi
      done
    done
    rm -rf "$1"`;
  const guard = spawn("sh", ["-c", script, "guard", folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.unref();
  return guard;
}
