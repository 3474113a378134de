import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run, systemPath } from "./command.ts";

/** Commands that the tier runs, and the Debian package of each. */
const commands = {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  ip: "iproute2",
  mke2fs: "e2fsprogs",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
} as const;

function isInstalled(command: string): boolean {
  return systemPath.split(":").some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Tries what a container inside a locked-down container is refused: namespaces, mounts, links, loop devices. */
const trial = `
mount -t tmpfs berth /run && mkdir -p /run/l /run/u /run/w /run/m &&
mount -t overlay berth -o lowerdir=/run/l,upperdir=/run/u,workdir=/run/w /run/m &&
ip netns add berth && ip -n berth link add type veth && losetup --find >/dev/null`;

/** Why this host does not allow the tier; empty when it does. */
export async function missing(): Promise<string> {
  if (process.platform !== "linux") return "it needs Linux";
  if (process.getuid?.() !== 0) return "it needs root";
  const absent = Object.entries(commands).filter(([command]) => !isInstalled(command));
  if (absent.length > 0) {
    const names = absent.map(([command]) => command).join(", ");
    const packages = [...new Set(absent.map(([, name]) => name))].join(" ");
    return `${names} not found (apt-get install ${packages})`;
  }
  const systems = await readFile("/proc/filesystems", "utf8");
  if (!systems.includes("\toverlay\n")) await run("modprobe", "overlay").catch(() => undefined);
  const own = [
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ];
  try {
    await run("unshare", ...own, "sh", "-c", trial);
    return "";
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `the kernel refuses namespaces, mounts or loop devices here (${text.split("\n").at(-1)?.slice(-200) ?? ""})`;
  }
}
