import { spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ssh2 from "ssh2";
import { readCloudConfig, type CloudConfig } from "./cloud-config.ts";
import { installGpu } from "./emulated-gpu.ts";
import { endProcesses, machineMark, startGuard } from "./machine-processes.ts";
import type { Machine, MachineSpec, MachineTier } from "./machine.ts";
import { sshServer, type Login } from "./process-server.ts";

const here = dirname(fileURLToPath(import.meta.url));
const user = "ubuntu";
const toolFolder = "usr/local/bin";
const powerPollMs = 250;

type End = "poweroff" | "terminated" | "crashed";

/** A host key for a machine that was given none; one in 256 that ssh2 1.17 makes is broken (its issue 1513). */
function ownHostKey(): string {
  for (;;) {
    const key = ssh2.utils.generateKeyPairSync("ed25519").private;
    if (!(ssh2.utils.parseKey(key) instanceof Error)) return key;
  }
}

/** A disk holds no sockets and no pipes of running programs, and none of what they remove while it is copied. */
async function isKept(path: string): Promise<boolean> {
  const file = await lstat(path).catch(() => undefined);
  return file !== undefined && !file.isSocket() && !file.isFIFO();
}

/** A machine that is a folder: its processes are this host's, its network and kernel too. */
class ProcessMachine implements Machine {
  readonly address: string;
  readonly sshPort: number;
  readonly ended: Promise<End>;
  readonly #spec: MachineSpec;
  readonly #root: string;
  readonly #config: CloudConfig;
  readonly #hostPrivateKey: string;
  #end: (reason: End) => void = () => undefined;
  #server: ssh2.Server | undefined;
  #gpuEnvironment: Readonly<Record<string, string>> = {};
  #console = "";
  #watch: NodeJS.Timeout | undefined;
  #guard: ReturnType<typeof startGuard> | undefined;
  #gone: Promise<void> | undefined;

  constructor(spec: MachineSpec, address: string) {
    this.#spec = spec;
    this.address = address;
    this.sshPort = spec.sshPort;
    this.#root = join(spec.folder, "root");
    this.#config = readCloudConfig(spec.userData);
    const seeded = this.#config.hostPrivateKey;
    this.#hostPrivateKey = seeded ?? ownHostKey();
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  consoleOutput(): string {
    return this.#console;
  }

  async boot(): Promise<void> {
    const { image } = this.#spec;
    if (image !== undefined)
      await cp(image, this.#root, { recursive: true, verbatimSymlinks: true });
    for (const folder of [`home/${user}`, "tmp", "etc", "run/cloud-init", "var", "opt"]) {
      await mkdir(join(this.#root, folder), { recursive: true });
    }
    this.#guard = startGuard(this.#spec.instanceId, this.#spec.folder);
    await writeFile(join(this.#root, "etc/hostname"), `${this.#spec.hostname}\n`);
    if (this.#spec.gpu !== undefined) await this.#installGpu(this.#spec.gpu);
    await this.#up("first boot");
    this.#watch = setInterval(() => void this.#readPower(), powerPollMs);
    this.#watch.unref();
  }

  async #installGpu(gpu: NonNullable<MachineSpec["gpu"]>): Promise<void> {
    const root = this.#root;
    const tools = join(root, toolFolder);
    this.#gpuEnvironment = await installGpu(root, root, tools, gpu, this.#spec.scenario);
  }

  #login(): Login {
    const tools = [join(here, "process-tools"), join(this.#root, toolFolder)];
    const home = join(this.#root, "home", user);
    return {
      hostPrivateKey: this.#hostPrivateKey,
      authorizedKeys: [...this.#spec.publicKeys, ...this.#config.authorizedKeys],
      user,
      home,
      environment: {
        PATH: [...tools, process.env["PATH"] ?? "/usr/bin:/bin"].join(delimiter),
        HOME: home,
        USER: user,
        LOGNAME: user,
        LANG: "C.UTF-8",
        TMPDIR: join(this.#root, "tmp"),
        BERTH_ROOT: this.#root,
        ...this.#gpuEnvironment,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${this.#spec.cloudPort}/_cloud/imds/${this.#spec.instanceId}`,
        [machineMark]: this.#spec.instanceId,
      },
    };
  }

  async #up(boot: "first boot" | "later boot"): Promise<void> {
    await writeFile(join(this.#root, "run/boot_id"), `${randomUUID()}\n`);
    const login = this.#login();
    const server = sshServer(login);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.sshPort, this.address, resolve);
    });
    this.#log(`${this.#spec.hostname} login: sshd on ${this.address}:${this.sshPort}`);
    this.#logHostKey();
    void this.#cloudInit(login, boot);
  }

  #logHostKey(): void {
    const key = ssh2.utils.parseKey(this.#hostPrivateKey);
    if (key instanceof Error) return;
    const line = `${key.type} ${key.getPublicSSH().toString("base64")}`;
    this.#log(`-----BEGIN SSH HOST KEY KEYS-----\n${line}\n-----END SSH HOST KEY KEYS-----`);
  }

  #log(text: string): void {
    this.#console += `${text}\n`;
  }

  /** What belongs to every boot, then to the first one, then the result that `cloud-init status` waits for. */
  async #cloudInit(login: Login, boot: "first boot" | "later boot"): Promise<void> {
    const { bootCommands, commands, files } = this.#config;
    let result = "done";
    const runAll = async (list: readonly string[]): Promise<void> => {
      for (const command of list) {
        if ((await this.#shell(command, login)) !== 0) result = "degraded";
      }
    };
    try {
      await runAll(bootCommands);
      if (boot === "first boot") {
        await this.#writeFiles(files);
        await runAll(commands);
      }
    } catch (error) {
      this.#log(`cloud-init: ${String(error)}`);
      result = "error";
    }
    await writeFile(join(this.#root, "run/cloud-init/result"), result).catch(() => undefined);
  }

  async #writeFiles(files: CloudConfig["files"]): Promise<void> {
    for (const { path, content, mode } of files) {
      const target = join(this.#root, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content, { mode });
    }
  }

  #shell(command: string, login: Login): Promise<number> {
    return new Promise((resolve) => {
      const child = spawn("bash", ["-c", command], {
        cwd: login.home,
        env: login.environment,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const record = (chunk: Buffer) => {
        this.#log(chunk.toString().trimEnd());
      };
      child.stdout.on("data", record);
      child.stderr.on("data", record);
      child.on("error", () => {
        resolve(127);
      });
      child.on("close", (code) => {
        resolve(code ?? 1);
      });
    });
  }

  async #readPower(): Promise<void> {
    const path = join(this.#root, "run/power");
    const wanted = await readFile(path, "utf8").catch(() => undefined);
    if (wanted === undefined) return;
    await rm(path, { force: true });
    if (wanted.trim() === "reboot") await this.reboot();
    else await this.#remove("poweroff");
  }

  async #down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    await endProcesses(this.#spec.instanceId);
  }

  async reboot(): Promise<void> {
    this.#log("reboot: Restarting system");
    await this.#down();
    await rm(join(this.#root, "run/cloud-init/result"), { force: true });
    await this.#up("later boot");
  }

  writeImage(path: string): Promise<void> {
    return cp(this.#root, path, { recursive: true, verbatimSymlinks: true, filter: isKept });
  }

  terminate(): Promise<void> {
    return this.#remove("terminated");
  }

  async #dismissGuard(): Promise<void> {
    const guard = this.#guard;
    if (guard?.exitCode !== null) return;
    const gone = once(guard, "close");
    guard.kill("SIGKILL");
    guard.stdin?.destroy();
    await gone;
  }

  #remove(reason: End): Promise<void> {
    this.#gone ??= (async () => {
      clearInterval(this.#watch);
      await this.#down();
      await rm(this.#spec.folder, { recursive: true, force: true, maxRetries: 5 });
      await this.#dismissGuard();
      this.#end(reason);
    })();
    return this.#gone;
  }
}

/** A loopback address of its own where the system has them all (Linux), else the one there is. */
function ownAddress(): string {
  if (process.platform !== "linux") return "127.0.0.1";
  return `127.77.${randomInt(1, 255)}.${randomInt(1, 255)}`;
}

/** Machines as folders with an SSH server each: no rights needed, any Unix. */
export const processTier: MachineTier = {
  name: "process",
  available: () => {
    const bash = (process.env["PATH"] ?? "")
      .split(delimiter)
      .some((folder) => existsSync(join(folder, "bash")));
    return Promise.resolve(
      bash ? { ok: true, why: "" } : { ok: false, why: "bash is not installed" },
    );
  },
  cacheBytes: () => Promise.resolve(0),
  prepare: () => Promise.resolve(),
  start: async (spec) => {
    const machine = new ProcessMachine(spec, ownAddress());
    await machine.boot();
    return machine;
  },
};
