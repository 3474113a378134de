import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installGpu } from "../emulated-gpu.ts";
import type { MachineSpec } from "../machine.ts";

/** Puts into a machine's tree what EC2 would tell it at its first boot, and its emulated GPUs. */
export async function prepareRoot(root: string, spec: MachineSpec): Promise<void> {
  const seed = join(root, "var/lib/cloud/seed/nocloud");
  await mkdir(seed, { recursive: true });
  // JSON is YAML, and needs no quoting of ours.
  const metadata = {
    "instance-id": spec.instanceId,
    "local-hostname": spec.hostname,
    "public-keys": spec.publicKeys,
  };
  await writeFile(join(seed, "meta-data"), JSON.stringify(metadata), { mode: 0o600 });
  const userData = spec.userData === "" ? "#cloud-config\n{}\n" : spec.userData;
  await writeFile(join(seed, "user-data"), userData, { mode: 0o600 });
  if (spec.sshPort !== 22)
    await writeFile(join(root, "etc/ssh/sshd_config.d/port.conf"), `Port ${spec.sshPort}\n`);
  if (spec.gpu === undefined) return;
  const environment = await installGpu(
    root,
    "/",
    join(root, "usr/local/bin"),
    spec.gpu,
    spec.scenario,
  );
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  await appendFile(join(root, "etc/environment"), lines.join(""));
}
