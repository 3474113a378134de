import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { run, systemPath } from "./command.ts";
import { mountRoot, writeDiskImage } from "./disk.ts";
import { openCloudDoor, openMetadataDoor } from "./doors.ts";
import type { Order, Report } from "./messages.ts";
import { makeNetwork, namespaces } from "./network.ts";
import { prepareRoot } from "./prepare-root.ts";
import { waitForSsh } from "./wait-for-ssh.ts";

// The keeper is the first process of the machine's process namespace: when it ends, the kernel ends all the others, and
// with the last of them go the mounts, the network and the addresses. So it only ever has to end.

const base = "/run/berth";
const bootSeconds = 120;
/** What systemd-nspawn ends with when the machine asked for a reboot. */
const rebootStatus = 133;

let nspawnPid: number | undefined;
let machineFolder = "";

function report(message: Report): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function end(message?: Report): void {
  if (message === undefined) process.exit(0);
  process.stdout.write(`${JSON.stringify(message)}\n`, () => process.exit(0));
}

/** A file of /proc; "" for a process that is gone. */
function processFile(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}

/** The machine's first process: the child of nspawn that has number 1 in a namespace of its own; none between two boots. */
function firstProcess(): number | undefined {
  if (nspawnPid === undefined) return undefined;
  return processFile(`${nspawnPid}/task/${nspawnPid}/children`)
    .split(" ")
    .filter((text) => text !== "")
    .map(Number)
    .find((pid) => /^NSpid:.*\t1$/m.test(processFile(`${pid}/status`)));
}

function reboot(): void {
  const pid = firstProcess();
  // To the first process of a container, an interrupt is what Ctrl-Alt-Del is to a computer.
  if (pid !== undefined) process.kill(pid, "SIGINT");
}

/** Boots the machine's tree; resolves with nspawn's status when the machine is down. */
function bootOnce(root: string, name: string, hostname: string): Promise<number> {
  const args = [
    name,
    "systemd-nspawn",
    "--quiet",
    "--register=no",
    "--keep-unit",
    "--boot",
    "--console=read-only",
    "--link-journal=no",
    "--resolv-conf=off",
    "--timezone=off",
    `--directory=${root}`,
    `--machine=${hostname}`,
    `--network-namespace-path=/run/netns/${namespaces.machine}`,
  ];
  const child = spawn(join(import.meta.dirname, "boot.sh"), args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: systemPath, TERM: "dumb" },
  });
  nspawnPid = child.pid;
  const show = (chunk: Buffer): void => {
    const text = stripVTControlCharacters(chunk.toString()).replaceAll("\r", "");
    report({ event: "console", text });
  };
  child.stdout.on("data", show);
  child.stderr.on("data", show);
  return new Promise((resolve) => {
    child.on("error", (error) => {
      report({ event: "console", text: `${String(error)}\n` });
    });
    child.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
}

/** Boots, and boots again after every reboot; ends with the machine. */
async function keepRunning(root: string, name: string, hostname: string): Promise<void> {
  for (;;) {
    const status = await bootOnce(root, name, hostname);
    if (status === rebootStatus) continue;
    // The process ends when this is written; until then nothing may boot again.
    end({ event: "ended", how: status === 0 ? "poweroff" : "crashed" });
    return;
  }
}

async function boot({ spec, image, name }: Extract<Order, { do: "boot" }>): Promise<void> {
  // Nothing of what is mounted or locked below may show in the host's own /run.
  await run("mount", "-t", "tmpfs", "-o", "mode=755", "berth", "/run");
  await mkdir(base);
  const address = await makeNetwork(name);
  machineFolder = spec.folder;
  const root = await mountRoot(base, { ...spec, system: image, disk: spec.image });
  await prepareRoot(root, spec);
  await Promise.all([
    openCloudDoor(spec.cloudPort),
    openMetadataDoor(spec.instanceId, spec.cloudPort),
  ]);
  void keepRunning(root, name, spec.hostname);
  await waitForSsh(address, spec.sshPort, bootSeconds);
  report({ event: "ready", address });
}

/** An empty complaint says that the image is there. */
async function writeImage(path: string): Promise<void> {
  const complaint = await writeDiskImage(base, machineFolder, path).then(
    () => "",
    (error: unknown) => String(error),
  );
  report({ event: "image-written", complaint });
}

const orders = createInterface({ input: process.stdin });
// The owner is gone, and so the machine has to go.
orders.on("close", () => {
  end();
});
orders.on("line", (line) => {
  const order = JSON.parse(line) as Order;
  if (order.do === "terminate") end();
  else if (order.do === "reboot") reboot();
  else if (order.do === "write-image") void writeImage(order.path);
  else
    boot(order).catch((error: unknown) => {
      end({ event: "failed", message: error instanceof Error ? error.message : String(error) });
    });
});
// A pipe that nobody reads any more means the same.
process.stdout.on("error", () => {
  end();
});
