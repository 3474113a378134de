import { spawn, type ChildProcessByStdio } from "node:child_process";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { OfflineError } from "../../../offline-error.ts";
import type { Machine, MachineSpec } from "../machine.ts";
import { systemPath } from "./command.ts";
import type { Order, Report } from "./messages.ts";

type End = Awaited<Machine["ended"]>;

/** As much of its console as EC2 keeps, characters. */
const consoleLimit = 65_536;
const killAfterMs = 10_000;
const tsx = import.meta.resolve("tsx");

/** A machine seen from its owner: orders go down a pipe to its keeper, reports come up another. */
export class KeptMachine implements Machine {
  readonly sshPort: number;
  readonly ended: Promise<End>;
  readonly #spec: MachineSpec;
  readonly #keeper: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #reports = new EventEmitter();
  #address = "";
  #console = "";
  #complaints = "";
  #how: End = "crashed";
  #removed: Promise<void> | undefined;

  private constructor(spec: MachineSpec, name: string) {
    this.#spec = spec;
    this.sshPort = spec.sshPort;
    const here = import.meta.dirname;
    this.#keeper = spawn(
      join(here, "guardian.sh"),
      [spec.folder, name, process.execPath, "--import", tsx, join(here, "keeper.ts")],
      // Its own session: a Ctrl-C is for the owner, who then says what is to happen.
      { detached: true, stdio: ["pipe", "pipe", "pipe"], env: { PATH: systemPath, LC_ALL: "C" } },
    );
    this.#keeper.stdin.on("error", () => undefined);
    this.#keeper.stderr.on("data", (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-consoleLimit);
    });
    this.ended = once(this.#keeper, "close").then(() => this.#how);
  }

  /** Boots a machine from the image. @throws {OfflineError} with the end of its console when it does not come up */
  static async start(spec: MachineSpec, image: string): Promise<KeptMachine> {
    await mkdir(spec.folder, { recursive: true });
    const name = `${spec.instanceId}-${randomBytes(3).toString("hex")}`;
    const machine = new KeptMachine(spec, name);
    machine.#order({ do: "boot", spec, image, name });
    try {
      await machine.#ready();
    } catch (error) {
      await machine.terminate();
      throw error;
    }
    return machine;
  }

  get address(): string {
    return this.#address;
  }

  consoleOutput(): string {
    return this.#console;
  }

  /** Asks for a reboot, as EC2 does: it answers before the machine goes down. */
  reboot(): Promise<void> {
    this.#order({ do: "reboot" });
    return Promise.resolve();
  }

  async writeImage(path: string): Promise<void> {
    const written = once(this.#reports, "image-written");
    this.#order({ do: "write-image", path });
    const [complaint] = (await Promise.race([written, this.ended.then(() => ["it ended"])])) as [
      string,
    ];
    if (complaint !== "")
      throw new OfflineError(
        `No image of the machine ${this.#spec.instanceId} could be made: ${complaint}`,
        "Look whether the host has room for a copy of its disk.",
      );
  }

  terminate(): Promise<void> {
    this.#removed ??= this.#remove();
    return this.#removed;
  }

  #order(order: Order): void {
    this.#keeper.stdin.write(`${JSON.stringify(order)}\n`);
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        const last = (this.#complaints + this.#console).trim().split("\n").slice(-12).join("\n");
        reject(
          new OfflineError(
            `The machine ${this.#spec.instanceId} did not start: ${why}\n${last}`,
            "Use machines of the tier `process`, which need nothing of the host.",
          ),
        );
      };
      createInterface({ input: this.#keeper.stdout }).on("line", (line) => {
        const report = JSON.parse(line) as Report;
        if (report.event === "console")
          this.#console = (this.#console + report.text).slice(-consoleLimit);
        else if (report.event === "ended") this.#how = report.how;
        else if (report.event === "failed") fail(report.message);
        else if (report.event === "image-written")
          this.#reports.emit("image-written", report.complaint);
        else {
          this.#address = report.address;
          resolve();
        }
      });
      this.#keeper.once("error", (error) => {
        fail(error.message);
      });
      void this.ended.then((how) => {
        fail(`it ended (${how}) before its SSH server answered`);
      });
    });
  }

  async #remove(): Promise<void> {
    if (this.#keeper.exitCode === null) {
      this.#how = "terminated";
      this.#order({ do: "terminate" });
      const timer = setTimeout(() => {
        this.#killGroup();
      }, killAfterMs);
      await this.ended;
      clearTimeout(timer);
    }
    await rm(this.#spec.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #killGroup(): void {
    try {
      if (this.#keeper.pid !== undefined) process.kill(-this.#keeper.pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
}
