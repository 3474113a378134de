import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { newEd25519Key, type Ed25519Key } from "../../../components/ed25519-key.ts";
import { freePort } from "../../../offline/cloud/free-port.ts";
import { needs, Started } from "../../support/tier.ts";

export { freePort };

const sshdPath = "/usr/sbin/sshd";

/** Whether this machine has OpenSSH's server. */
export function hasSshd(): boolean {
  return existsSync(sshdPath);
}

/** Skips a test where this machine has none. */
export function needsSshd(context: Context): void {
  needs(context, "sshd", hasSshd(), `${sshdPath} is not there; install openssh-server`);
}

/** A real OpenSSH server on loopback, with keys of its own and a folder that stands for the machine's root. */
export interface TestSshd {
  readonly port: number;
  readonly user: string;
  /** The public line of its host key at the start. */
  readonly hostKey: string;
  /** Text of the private key that may log in. */
  readonly clientKey: string;
  /** BERTH_ROOT of its sessions. */
  readonly root: string;
  readonly folder: string;
  /** The host key that it has now, from its file. */
  currentHostKey(): Promise<string>;
  stop(): Promise<void>;
}

/** A private key and its OpenSSH public line. */
export const generateKey = (): Ed25519Key => newEd25519Key();

/**
 * Starts an sshd as an ordinary child; `environment` is set in its sessions, over a BERTH_ROOT of their own ("" for a host
 * that is no folder).
 */
export async function startSshd(
  environment: Readonly<Record<string, string>> = {},
): Promise<TestSshd> {
  const folder = await mkdtemp(join(tmpdir(), "berth-sshd-"));
  const host = newEd25519Key();
  const client = newEd25519Key();
  const port = await freePort();
  const root = join(folder, "root");
  execFileSync("mkdir", ["-p", root]);
  const keyFile = join(folder, "ssh_host_ed25519_key");
  await writeFile(keyFile, host.privateKey, { mode: 0o600 });
  await writeFile(`${keyFile}.pub`, `${host.publicKey}\n`);
  await writeFile(join(folder, "authorized_keys"), `${client.publicKey}\n`, { mode: 0o600 });
  const set = Object.entries({ BERTH_ROOT: root, ...environment })
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key}=${value}`);
  await writeFile(
    join(folder, "sshd_config"),
    [
      `Port ${String(port)}`,
      "ListenAddress 127.0.0.1",
      `HostKey ${keyFile}`,
      `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
      `PidFile ${join(folder, "sshd.pid")}`,
      "StrictModes no",
      `UsePAM ${process.getuid?.() === 0 ? "yes" : "no"}`,
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      ...(set.length > 0 ? [`SetEnv ${set.join(" ")}`] : []),
      "",
    ].join("\n"),
  );
  if (process.getuid?.() === 0) execFileSync("mkdir", ["-p", "/run/sshd"]);
  const child = spawn(sshdPath, ["-D", "-e", "-f", join(folder, "sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await new Promise<void>((resolve, reject) => {
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("Server listening")) resolve();
    });
    child.once("close", () => {
      reject(new Error(`sshd did not start: ${log}`));
    });
  });
  return {
    port,
    user: userInfo().username,
    hostKey: host.publicKey.trim(),
    clientKey: client.privateKey,
    root,
    folder,
    currentHostKey: async () => (await readFile(`${keyFile}.pub`, "utf8")).trim(),
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts an sshd for the suite that this is called in; its login key is in the environment meanwhile. */
export function sshdOfSuite(): () => TestSshd {
  const started = new Started();
  const keyBefore = process.env["BERTH_SSH_PRIVATE_KEY"];
  let sshd: TestSshd | undefined;
  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
    process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
  });
  after(async () => {
    if (keyBefore === undefined) Reflect.deleteProperty(process.env, "BERTH_SSH_PRIVATE_KEY");
    else process.env["BERTH_SSH_PRIVATE_KEY"] = keyBefore;
    await started.stop();
  });
  return () => sshd!;
}

/** Ends a child and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
