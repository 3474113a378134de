import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MachineSpec } from "./machine.ts";

/** Scripts that answer in place of NVIDIA's tools and of the kernel's. */
const fakes = join(import.meta.dirname, "fakes");

/** PCI device numbers, so that a list of the bus shows the right GPU; any other shows as an L4. */
const deviceNumbers: Readonly<Record<string, string>> = {
  T4: "0x1eb8",
  A10G: "0x2237",
  L4: "0x27b8",
  L40S: "0x26b9",
  V100: "0x1db1",
  A100: "0x20b0",
  H100: "0x2330",
  H200: "0x2335",
  B200: "0x2901",
};

const warning = "The GPUs of this machine, their driver and their place on the bus are emulated.\n";

/** A tree like /sys with the machine's GPUs on the PCI bus, for what reads the bus there. */
async function writeBus(folder: string, gpu: NonNullable<MachineSpec["gpu"]>): Promise<void> {
  for (let index = 0; index < gpu.count; index += 1) {
    const device = join(folder, `bus/pci/devices/0000:00:${(0x1e - index).toString(16)}.0`);
    await mkdir(device, { recursive: true });
    await writeFile(join(device, "vendor"), "0x10de\n");
    await writeFile(join(device, "device"), `${deviceNumbers[gpu.model] ?? "0x27b8"}\n`);
    await writeFile(join(device, "class"), "0x030200\n");
  }
}

/**
 * Gives a machine emulated GPUs: the tools in `tools`, and beneath `root` what they show (`etc/berth-gpu`), a stand-in for
 * the PCI bus, and `etc/berth-emulated`, by which a verifier knows that none of it is real.
 *
 * @param inside `root` as the machine itself names it
 * @returns what the machine's processes need in their environment
 */
export async function installGpu(
  root: string,
  inside: string,
  tools: string,
  gpu: NonNullable<MachineSpec["gpu"]>,
  scenario: MachineSpec["scenario"] = {},
): Promise<Readonly<Record<string, string>>> {
  await mkdir(tools, { recursive: true });
  for (const name of await readdir(fakes)) await copyFile(join(fakes, name), join(tools, name));
  const shown = {
    model: gpu.model,
    count: String(gpu.count),
    memory_mib: String(gpu.memoryMiB),
    ...scenario,
  };
  const lines = Object.entries(shown).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(root, "etc/berth-gpu"), lines.join(""));
  await writeFile(join(root, "etc/berth-emulated"), warning);
  const bus = "usr/local/lib/berth-emulated/sys";
  await writeBus(join(root, bus), gpu);
  return { BERTH_GPU_SCENARIO: join(inside, "etc/berth-gpu"), BERTH_SYSFS: join(inside, bus) };
}
