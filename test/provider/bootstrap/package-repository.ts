import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const fakes = join(import.meta.dirname, "fakes");

/** A package to build: its fields, its files (path to text, or to a file to copy), and its script after unpacking. */
interface PackageSpec {
  readonly name: string;
  readonly version?: string;
  readonly depends?: string;
  readonly files?: Readonly<Record<string, string | { readonly copy: string }>>;
  readonly postinst?: string;
}

/** The driver version of the repository's packages. */
export const driverVersion = "580.126.09";

const kernel = async (): Promise<string> => (await run("uname", ["-r"])).stdout.trim();
const ready = (): Promise<boolean> =>
  run("sh", ["-c", "command -v dpkg-deb && command -v gpg && command -v cc"]).then(
    () => true,
    () => false,
  );

/** Whether this machine can build packages, sign them, and compile a stand-in for CUDA's library. */
export const canBuildPackages = ready;

const driverFiles = (signed: "yes" | "no") => ({
  "usr/lib/fake-driver/version": `${driverVersion}\n`,
  "usr/lib/fake-driver/signed": `${signed}\n`,
});

/** The name of pip's wheel in the repository; its version is this machine's, and nothing looks at it. */
export const pipName = "pip-99-py3-none-any.whl";

/** What makes a repository slow. */
export interface PackageLoad {
  /** @default 0 */
  readonly driverMB?: number | undefined;
  /** @default as fast as loopback is */
  readonly bytesPerSecond?: number | undefined;
  /** Packages of Debian to have as well, as apt names them ("python3-venv"). @default none */
  readonly debian?: readonly string[] | undefined;
  /** Further files to give, by name. @default none */
  readonly files?: Readonly<Record<string, Buffer>> | undefined;
}

/** The wheel of pip that this machine's Python carries, for a Python that is made up. */
async function pipWheel(): Promise<Buffer> {
  const find =
    "import ensurepip, glob, os; print((glob.glob(os.path.dirname(ensurepip.__file__) + '/_bundled/pip-*.whl') + glob.glob('/usr/share/python-wheels/pip-*.whl'))[0])";
  const { stdout } = await run("python3", ["-c", find]);
  return readFile(stdout.trim());
}

/** Gives a response's content at a given speed. */
async function give(
  response: ServerResponse,
  content: Buffer,
  bytesPerSecond = Infinity,
): Promise<void> {
  const chunk = bytesPerSecond === Infinity ? content.length : Math.ceil(bytesPerSecond / 20);
  for (let at = 0; at < content.length; at += chunk) {
    response.write(content.subarray(at, at + chunk));
    if (chunk < content.length) await sleep(50);
  }
  response.end();
}

/** As dkms ends where the kernel was built by another compiler; the log's line is of aws-parallelcluster-cookbook#2852. */
const compiles = `if [ -e /etc/fake/other-compiler ]; then
  mkdir -p /var/lib/dkms/nvidia/580
  mkdir -p /var/lib/dkms/nvidia/580/build
  echo "gcc: error: unrecognized command-line option '-ftrivial-auto-var-init=zero'" >/var/lib/dkms/nvidia/580/build/make.log
  echo "Error! Bad return status for module build on kernel" >&2
  exit 10
fi`;
/** Work that goes on while nobody listens. */
const pauses = 'if [ -e /etc/fake/pause ]; then sleep "$(cat /etc/fake/pause)"; fi';
/** What stands in for a toolkit whose driver library has lost the GPUs. */
const containerToolkit = `#!/bin/sh
if [ -e /etc/fake/container-lost ]; then echo "Failed to initialize NVML: Unknown Error" >&2; exit 1; fi
for word in "$@"; do case "$word" in --output=*) echo "cdiVersion: 0.5.0" >"\${word#--output=}" ;; esac; done
if [ "$1 $2" = "runtime configure" ]; then echo '{"runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}' >/etc/docker/daemon.json; fi
`;

/** What stands in for a compiler that is asked whether Python's headers are there (`-fsyntax-only -I FOLDER ...`). */
const compiler = `#!/bin/sh
[ -e "$3/Python.h" ] && exit 0
echo "<stdin>:1:10: fatal error: Python.h: No such file or directory" >&2
exit 1
`;

function packages(running: string, library: string, weight: string): PackageSpec[] {
  const userSpace = {
    "usr/bin/nvidia-smi": { copy: join(fakes, "nvidia-smi") },
    "usr/lib/x86_64-linux-gnu/libcuda.so.1": { copy: library },
    "usr/lib/x86_64-linux-gnu/libnvidia-weight.so": { copy: weight },
  };
  return [
    // Ubuntu's: signed modules for the running kernel, and what goes with them.
    {
      name: `linux-modules-nvidia-580-server-open-${running}`,
      depends: "nvidia-kernel-common-580-server",
      files: driverFiles("yes"),
      postinst: "rm -f /etc/fake/kernel-updated",
    },
    { name: "nvidia-kernel-common-580-server" },
    { name: "nvidia-headless-no-dkms-580-server-open", postinst: pauses },
    { name: "nvidia-utils-580-server", files: userSpace },
    // Modules that fit another user space than the archive has.
    {
      name: `linux-modules-nvidia-570-server-open-${running}`,
      depends: "nvidia-kernel-common-570-server (= 1)",
    },
    { name: "nvidia-kernel-common-570-server", version: "2" },
    // Compiled on the host.
    {
      name: `linux-headers-${running}`,
      files: { [`lib/modules/${running}/build/Makefile`]: "all:\n" },
    },
    // A package that asks and waits: nobody ever writes into the pipe.
    {
      name: "dkms",
      postinst:
        "if [ -e /etc/fake/asks ]; then rm -f /run/answer; mkfifo /run/answer; read -r answer </run/answer; fi",
    },
    { name: "make" },
    { name: "gcc" },
    { name: "g++", files: { "usr/bin/gcc": compiler } },
    { name: "nvidia-headless-580-server-open", depends: "dkms", files: driverFiles("no") },
    { name: "nvidia-headless-570-server-open", depends: "dkms", files: driverFiles("no") },
    { name: "nvidia-utils-570-server", files: userSpace },
    // NVIDIA's, for Debian.
    { name: "nvidia-driver-pinning-580" },
    {
      name: "nvidia-open",
      depends: "nvidia-driver-pinning-580, nvidia-driver-cuda",
      files: driverFiles("no"),
      postinst: compiles,
    },
    { name: "nvidia-driver-cuda", files: userSpace },
    {
      name: "nvidia-fabricmanager-580",
      version: `${driverVersion}-1`,
      files: {
        "usr/bin/nv-fabricmanager": `#!/bin/sh\necho "Fabric Manager version is : $(cat /etc/fake/other-manager 2>/dev/null || echo ${driverVersion})"\n`,
        "lib/systemd/system/nvidia-fabricmanager.service":
          "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
      },
      postinst: "echo Completed > /etc/fake/fabric",
    },
    { name: "nvidia-fabricmanager-580", version: "580.200.01-1" },
    // What Blackwell's switches want beside it.
    {
      name: `linux-modules-extra-${running}`,
      files: { "usr/lib/fake-modules-extra": "mlx5_ib\n" },
    },
    { name: "nvlsm" },
    { name: "infiniband-diags" },
    {
      name: "nvidia-container-toolkit",
      files: { "usr/bin/nvidia-ctk": containerToolkit },
    },
    // Its script fails as long as a file is there, which leaves the package half configured.
    { name: "flaky", postinst: "[ ! -e /etc/fake/flaky ]" },
    { name: "large", files: { "usr/share/large": "0123456789abcdef".repeat(131_072) } },
  ];
}

async function build(folder: string, spec: PackageSpec): Promise<void> {
  const { name, version = "1", depends, files = {}, postinst } = spec;
  const tree = join(folder, "tree", `${name}_${version}`);
  await mkdir(join(tree, "DEBIAN"), { recursive: true });
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    "Architecture: all",
    "Maintainer: test <test@example.org>",
    ...(depends === undefined ? [] : [`Depends: ${depends}`]),
    "Description: stands in for a package of the same name",
    "",
  ];
  await writeFile(join(tree, "DEBIAN/control"), control.join("\n"));
  if (postinst !== undefined)
    await writeFile(join(tree, "DEBIAN/postinst"), `#!/bin/sh\nset -e\n${postinst}\n`, {
      mode: 0o755,
    });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    if (typeof content === "string") await writeFile(join(tree, path), content);
    else await copyFile(content.copy, join(tree, path));
    if (path.includes("/bin/")) await chmod(join(tree, path), 0o755);
  }
  // Large files are compressed to nothing, and then no disk would be full.
  await run("dpkg-deb", ["--root-owner-group", "-Znone", "--build", tree, join(folder, "www")]);
}

/**
 * A signed package repository on loopback that stands in for the distribution's and for NVIDIA's, made with the real tools. It
 * can lose packages, and be half-way through an update.
 */
export class PackageRepository {
  /** Where the machine reaches it; that of a server in front of it, where there is one. */
  port: number;
  readonly keyringSha256: string;
  /** Names of packages that its list has and that it does not give; a number is for so many requests. */
  readonly missing = new Map<string, number>();
  readonly #folder: string;
  readonly #close: () => Promise<void>;

  private constructor(folder: string, port: number, sha256: string, close: () => Promise<void>) {
    this.#folder = folder;
    this.port = port;
    this.keyringSha256 = sha256;
    this.#close = close;
  }

  /** Its public key, as apt takes it. */
  key(): Promise<Buffer> {
    return readFile(join(this.#folder, "key.gpg"));
  }

  /**
   * @param load how much the driver's user space weighs beyond nothing, and how fast packages come; for measurements
   */
  static async start(load: PackageLoad = {}): Promise<PackageRepository> {
    const folder = await mkdtemp(join(tmpdir(), "berth-repository-"));
    const www = join(folder, "www");
    await mkdir(www);
    const library = join(folder, "libcuda.so.1");
    await run("cc", ["-shared", "-fPIC", "-O1", "-o", library, join(fakes, "libcuda.c")]);
    const gpg = (...args: readonly string[]) =>
      run("gpg", ["--homedir", join(folder, "gpg"), "--batch", "--quiet", ...args]);
    await mkdir(join(folder, "gpg"), { mode: 0o700 });
    await gpg(
      "--passphrase",
      "",
      "--quick-generate-key",
      "test@example.org",
      "ed25519",
      "sign",
      "never",
    );
    await gpg("--output", join(folder, "key.gpg"), "--export", "test@example.org");
    const running = await kernel();
    const weight = join(folder, "weight");
    await writeFile(weight, randomBytes((load.driverMB ?? 0) * 1e6));
    await Promise.all(packages(running, library, weight).map((spec) => build(folder, spec)));
    if (load.debian !== undefined)
      await run("apt-get", ["-q", "download", ...load.debian], { cwd: www });
    const keyring = {
      name: "cuda-keyring",
      files: { "usr/share/keyrings/cuda-archive-keyring.gpg": { copy: join(folder, "key.gpg") } },
    };
    await build(folder, keyring);
    await run(
      "sh",
      [
        "-c",
        "dpkg-scanpackages -m . /dev/null > Packages 2>/dev/null && apt-ftparchive release . > ../Release && mv ../Release .",
      ],
      { cwd: www },
    );
    await gpg("--clearsign", "--output", join(www, "InRelease"), join(www, "Release"));
    const keyringFile = await readFile(join(www, "cuda-keyring_1_all.deb"));
    const sha256 = createHash("sha256").update(keyringFile).digest("hex");
    await writeFile(join(www, "cuda-keyring_1.1-1_all.deb"), keyringFile);

    const server = createServer((request, response) => {
      const name =
        decodeURIComponent(request.url ?? "/")
          .split("/")
          .filter((part) => part !== "")
          .at(-1) ?? "";
      if (!name.includes(".")) response.setHeader("content-type", "text/html");
      const repository = started;
      const [packageName = ""] = name.split("_");
      const left = repository.missing.get(packageName) ?? 0;
      if (left > 0) repository.missing.set(packageName, left - 1);
      const path = join(www, name.replace(/[^\w.~+-]/g, ""));
      const extra = name === pipName ? pipWheel() : load.files?.[name];
      const read =
        extra !== undefined
          ? Promise.resolve(extra)
          : left > 0
            ? Promise.reject(new Error("missing"))
            : readFile(path);
      read.then(
        (content) => give(response, content, load.bytesPerSecond),
        () => response.writeHead(404, "Not Found").end("not here\n"),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const started = new PackageRepository(folder, port, sha256, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await run("gpgconf", ["--homedir", join(folder, "gpg"), "--kill", "all"]).catch(
        () => undefined,
      );
      await rm(folder, { recursive: true, force: true });
    });
    return started;
  }

  stop(): Promise<void> {
    return this.#close();
  }
}
