import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Machine } from "../../../offline/cloud/machines/machine.ts";
import { debianTier } from "../../../offline/cloud/machines/nspawn.ts";
import type { System } from "../../../offline/cloud/machines/nspawn/image.ts";
import { Host, type HostPatience } from "../../../provider/adapters/ssh.ts";
import {
  layGround,
  specOn,
  type Ground,
  type KeyPair,
} from "../../offline/cloud/machines/support.ts";
import { pipName, type PackageRepository } from "./package-repository.ts";

const run = promisify(execFile);
const fakes = join(import.meta.dirname, "fakes");

/** How a machine is to behave; each name is a file of /etc/fake, with its text. */
export type Behaviour = Readonly<Record<string, string>>;

/** How a machine begins. */
export interface Beginning {
  readonly os?: keyof typeof systems;
  readonly behaviour?: Behaviour;
  /** Modules that are loaded, by name and version. */
  readonly loaded?: Readonly<Record<string, string>>;
  /** A driver that is installed already, by its version. */
  readonly installed?: string;
}

/** What a client does otherwise. */
export interface HostChanges {
  readonly address?: string;
  readonly port?: number;
  /** @default ubuntu */
  readonly user?: string;
  readonly keys?: { readonly hostKey: KeyPair; readonly clientKey: KeyPair };
  readonly patience?: Partial<HostPatience>;
}

const systems = {
  ubuntu: 'ID=ubuntu\nVERSION_ID="24.04"\n',
  "ubuntu 22.04": 'ID=ubuntu\nVERSION_ID="22.04"\n',
  debian: 'ID=debian\nVERSION_ID="12"\n',
  "debian 13": 'ID=debian\nVERSION_ID="13"\n',
  amazon: 'ID=amzn\nVERSION_ID="2023"\n',
  fedora: 'ID=fedora\nVERSION_ID="42"\n',
} as const;

const bootUnit = `[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/usr/local/bin/fake-boot
[Install]
WantedBy=sysinit.target
`;

/**
 * A whole Debian system with an L4 on its bus and no driver, whose packages come from a test's repository. Real in it: systemd,
 * apt, dpkg, sudo, sshd, the reboot. Not real: the kernel's modules, its log, the GPU.
 */
export class BareMachine {
  readonly #ground: Ground;
  readonly #machine: Machine;
  readonly #repository: PackageRepository;

  private constructor(ground: Ground, machine: Machine, repository: PackageRepository) {
    this.#ground = ground;
    this.#machine = machine;
    this.#repository = repository;
  }

  static async start(
    repository: PackageRepository,
    { diskGiB = 4, system = "bookworm" }: { diskGiB?: number | undefined; system?: System } = {},
  ): Promise<BareMachine> {
    const tier = debianTier(system);
    await tier.prepare(() => undefined);
    const ground = await layGround(false);
    const machine = await tier.start(specOn(ground, { cloudPort: repository.port, diskGiB }));
    const bare = new BareMachine(ground, machine, repository);
    await bare.#furnish();
    return bare;
  }

  /** A client; another port is that of a proxy in front of the machine, other keys are those of a later life of it. */
  host(changes: HostChanges = {}): Host {
    const { hostKey, clientKey } = changes.keys ?? this.#ground;
    process.env["BERTH_SSH_PRIVATE_KEY"] = clientKey.privateKey;
    return new Host(
      {
        host: changes.address ?? this.#machine.address,
        port: changes.port ?? this.#machine.sshPort,
        user: changes.user ?? "ubuntu",
        hostKeys: () => Promise.resolve([hostKey.publicKey]),
      },
      { connectMs: 30_000, ...changes.patience },
    );
  }

  /** The key that it shows, an OpenSSH line. */
  get hostKey(): string {
    return this.#ground.hostKey.publicKey;
  }

  /** The key that may log in. */
  get clientKey(): KeyPair {
    return this.#ground.clientKey;
  }

  get address(): { host: string; port: number } {
    return { host: this.#machine.address, port: this.#machine.sshPort };
  }

  /** Runs a script as root and gives what it wrote. */
  async root(script: string, keys?: HostChanges["keys"]): Promise<string> {
    const host = this.host(keys === undefined ? {} : { keys });
    try {
      return await host.output(
        `sudo -n bash -euo pipefail <<'ROOT_SCRIPT'\n${script}\nROOT_SCRIPT\n`,
      );
    } finally {
      host.close();
    }
  }

  async #furnish(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "berth-furniture-"));
    const put = async (path: string, content: string): Promise<void> => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    };
    const device = "usr/local/lib/fake-sys/bus/pci/devices/0000:00:1e.0";
    await put(`${device}/vendor`, "0x10de\n");
    await put(`${device}/device`, "0x27b8\n");
    await put(`${device}/class`, "0x030200\n");
    await put(`${device}/subsystem_device`, "0x16c1\n");
    await put("etc/systemd/system/fake-boot.service", bootUnit);
    await mkdir(join(folder, "usr/local/bin"), { recursive: true });
    for (const name of await readdir(fakes)) {
      if (name !== "nvidia-smi" && !name.endsWith(".c"))
        await copyFile(join(fakes, name), join(folder, "usr/local/bin", name));
    }
    await mkdir(join(folder, "usr/share/keyrings"), { recursive: true });
    await writeFile(join(folder, "usr/share/keyrings/test.gpg"), await this.#repository.key());
    const { stdout } = await run("tar", ["-C", folder, "--owner=0", "--group=0", "-c", "."], {
      encoding: "buffer",
      maxBuffer: 64e6,
    });
    await rm(folder, { recursive: true });
    const host = this.host();
    const unpacked = await host.run("sudo -n tar -x --no-overwrite-dir -C /", () => ({
      timeoutMs: 30_000,
      stdin: stdout,
    }));
    host.close();
    if (unpacked.code !== 0) throw new Error(unpacked.stderr);
    await this.root(`
      echo 'BERTH_SYSFS=/run/fake-sys' >>/etc/environment
      systemctl enable -q fake-boot.service
      rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
    `);
  }

  /** Puts the machine back to a beginning: nothing installed, nothing loaded, no list of packages. */
  async begin({
    os = "ubuntu",
    behaviour = {},
    loaded = {},
    installed,
  }: Beginning = {}): Promise<void> {
    const { port } = this.#repository;
    this.#repository.missing.clear();
    const files = Object.entries(behaviour).map(
      ([name, text]) => `printf '%s\\n' '${text}' >/etc/fake/${name}`,
    );
    const modules = Object.entries(loaded).map(
      ([name, version]) =>
        `mkdir -p /run/fake-sys/module/${name}; echo ${version} >/run/fake-sys/module/${name}/version`,
    );
    await this.root(`
      rm -rf /etc/fake /opt/berth /run/fake-dmesg /run/fake-sys /etc/modprobe.d/berth-* /var/cache/apt/archives/*.deb
      mkdir -p /etc/fake /etc/modprobe.d
      rm -f /etc/apt/sources.list.d/* /etc/apt/preferences.d/* /usr/share/keyrings/berth-nvidia.gpg /etc/dkms/nvidia.conf /etc/cdi/nvidia.yaml
      rm -rf /var/lib/apt/lists/* /var/lib/dkms
      mine=$(dpkg-query -W -f '\${Package} \${Maintainer}\\n' | sed -n 's/ test <test@example.org>$//p')
      [ -z "$mine" ] || { apt-mark unhold $mine >/dev/null; dpkg --purge --force-all $mine >/dev/null 2>&1; }
      rm -f /etc/os-release
      cat >/etc/os-release <<'SYSTEM'
${systems[os]}SYSTEM
      ${os.startsWith("ubuntu") ? `echo 'deb [signed-by=/usr/share/keyrings/test.gpg] http://127.0.0.1:${port}/ubuntu ./' >/etc/apt/sources.list.d/test.list` : ""}
      ${files.join("\n")}
      /usr/local/bin/fake-boot
      ${modules.join("\n")}
      ${installed === undefined ? "rm -rf /usr/lib/fake-driver /usr/bin/nvidia-smi" : `mkdir -p /usr/lib/fake-driver; echo ${installed} >/usr/lib/fake-driver/version; echo yes >/usr/lib/fake-driver/signed`}
      chmod -R a+rX /run/fake-sys
    `);
  }

  /**
   * Starts what stands in for the builds of Python and for PyPI, on a loopback port of the machine; /run/python-mirror says how
   * the archive comes.
   *
   * @returns the address of the builds, and the archive's sum
   */
  async startPythonMirror(
    port: number,
  ): Promise<{ readonly url: string; readonly sha256: string }> {
    const files = await Promise.all(
      ["python-stand-in.sh", "python-mirror.py"].map(async (name) => {
        const text = await readFile(join(import.meta.dirname, name));
        return `base64 -d <<<${text.toString("base64")} >/srv/${name}`;
      }),
    );
    const sum = await this.root(`
      ${files.join("\n")}
      curl -fsS -o /srv/${pipName} http://127.0.0.1:${this.#repository.port}/${pipName}
      bash /srv/python-stand-in.sh /srv/python /srv/${pipName}
      tar -C /srv -czf /srv/python.tar.gz python
      printf '[global]\nindex-url = http://127.0.0.1:${port}/simple\n' >/etc/pip.conf
      echo good >/run/python-mirror
      systemd-run --quiet --unit=python-mirror /usr/bin/python3 /srv/python-mirror.py ${port} /srv/python.tar.gz
      while ! curl -so /dev/null http://127.0.0.1:${port}/; do sleep 0.1; done
      sha256sum </srv/python.tar.gz
    `);
    return { url: `http://127.0.0.1:${port}/builds`, sha256: sum.slice(0, 64) };
  }

  async stop(): Promise<void> {
    await this.#machine.terminate();
    await this.#ground.close();
  }
}
