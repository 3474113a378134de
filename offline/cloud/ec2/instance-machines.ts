import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Machine, MachineSpec, MachineTier } from "../machines/machine.ts";
import type { Moto } from "../moto/moto.ts";
import { gpuOfType } from "./gpu-of-type.ts";
import type { InstanceView } from "./instance-view.ts";
import type { MachineImages } from "./machine-images.ts";
import { credentialsOf, metadataOf } from "./metadata.ts";

/** What machines are started with besides their instance. */
export interface MachineSettings {
  readonly cloudPort: number;
  readonly sshPort: number;
  readonly folder: string;
  readonly images: MachineImages;
  readonly scenario: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

interface Entry {
  instance: InstanceView;
  machine: Machine | undefined;
  phase: "starting" | "running" | "ending" | "gone";
  /** The start or the end that is under way. */
  work: Promise<void>;
}

const pollMilliseconds = 500;

function userDataOf(instance: InstanceView): string {
  const raw = Buffer.from(instance.userData, "base64");
  // cloud-init takes gzip as well; EC2 passes the bytes on as they are.
  return (raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw).toString();
}

/** Keeps machines in step with the account's instances, in both directions. */
export class InstanceMachines {
  readonly #moto: Moto;
  readonly #tier: MachineTier;
  readonly #settings: MachineSettings;
  readonly #entries = new Map<string, Entry>();
  readonly #timer: NodeJS.Timeout;
  #active = false;
  #closed = false;
  #round: Promise<void> = Promise.resolve();

  constructor(moto: Moto, tier: MachineTier, settings: MachineSettings) {
    this.#moto = moto;
    this.#tier = tier;
    this.#settings = settings;
    this.#timer = setInterval(() => {
      if (this.#active) void this.reconcile();
    }, pollMilliseconds);
    this.#timer.unref();
  }

  get images(): MachineImages {
    return this.#settings.images;
  }

  /** To be told of every call that may change an instance. */
  kick(): void {
    this.#active = true;
    void this.reconcile();
  }

  /** The machines that run, by instance. */
  running(): { instance: InstanceView; machine: Machine }[] {
    return [...this.#entries.values()].flatMap(({ instance, machine }) =>
      machine === undefined ? [] : [{ instance, machine }],
    );
  }

  /** The instance of a machine that starts or runs, with its address as far as it is known. */
  find(id: string): { instance: InstanceView; address: string } | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.phase === "gone") return undefined;
    return {
      instance: entry.instance,
      address: entry.machine?.address ?? entry.instance.privateIp,
    };
  }

  /** Compares instances and machines once, and starts what follows; rounds do not overlap. */
  reconcile(): Promise<void> {
    this.#round = this.#round
      .then(() => this.#compare())
      .catch((error: unknown) => {
        if (!this.#closed) this.#settings.log(`machines: ${String(error)}`);
      });
    return this.#round;
  }

  /** Resolves when every machine that is starting has started, or has failed to. */
  async booted(): Promise<void> {
    await this.reconcile();
    const starting = [...this.#entries.values()].filter(({ phase }) => phase === "starting");
    await Promise.all(starting.map(({ work }) => work));
  }

  /** Resolves when every machine whose instance has ended is gone. */
  async settled(): Promise<void> {
    await this.reconcile();
    await Promise.all(
      [...this.#entries.values()]
        .filter((each) => each.phase === "ending")
        .map((each) => each.work),
    );
  }

  async reboot(ids: readonly string[]): Promise<void> {
    const machines = ids.flatMap((id) => this.#entries.get(id)?.machine ?? []);
    await Promise.all(machines.map((machine) => machine.reboot()));
  }

  /** Hands moto what the machine has written to its console. */
  async saveConsole(id: string): Promise<void> {
    const machine = this.#entries.get(id)?.machine;
    if (machine !== undefined) await this.#update(id, { console: machine.consoleOutput() });
  }

  /** Ends every machine. */
  async stop(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#round;
    await Promise.all(
      [...this.#entries.values()].map(async (entry) => {
        await entry.work;
        await entry.machine?.terminate();
      }),
    );
    this.#entries.clear();
  }

  async #compare(): Promise<void> {
    if (this.#closed) return;
    const instances = await this.#moto.ask<InstanceView[]>("instances");
    for (const instance of instances) this.#step(instance);
    this.#active =
      instances.some((each) => each.state !== "terminated" && each.state !== "stopped") ||
      [...this.#entries.values()].some(
        (each) => each.phase === "starting" || each.phase === "ending",
      );
  }

  #step(instance: InstanceView): void {
    const entry = this.#entries.get(instance.id);
    const idle = entry === undefined || entry.phase === "gone";
    if (instance.state === "pending") {
      if (idle) this.#start(instance);
    } else if (instance.state === "shutting-down") {
      this.#end(instance, "terminated");
    } else if (!idle && instance.state === "terminated") {
      this.#end(instance, "terminated");
    } else if (!idle && entry.phase !== "ending" && instance.state === "stopped") {
      this.#end(instance, "stopped");
    }
  }

  #start(instance: InstanceView): void {
    const entry: Entry = {
      instance,
      machine: undefined,
      phase: "starting",
      work: Promise.resolve(),
    };
    this.#entries.set(instance.id, entry);
    entry.work = this.#boot(entry);
  }

  async #boot(entry: Entry): Promise<void> {
    const { id } = entry.instance;
    try {
      const machine = await this.#tier.start(this.#specOf(entry.instance));
      entry.machine = machine;
      void machine.ended.then((how) => this.#onEnd(entry, how));
      if (entry.phase !== "starting") return;
      entry.phase = "running";
      const { address } = machine;
      await this.#update(id, {
        state: "running",
        privateIp: address,
        publicIp: address,
        ifState: "pending",
      });
    } catch (error) {
      entry.phase = "gone";
      this.#settings.log(`machine ${id} did not start: ${String(error)}`);
      const console = error instanceof Error ? (error.stack ?? error.message) : String(error);
      await this.#update(id, { terminate: true, state: "terminated", console }).catch(
        () => undefined,
      );
    }
  }

  #end(instance: InstanceView, state: "terminated" | "stopped"): void {
    const entry = this.#entries.get(instance.id);
    if (entry === undefined || entry.phase === "gone") {
      if (instance.state === "shutting-down")
        void this.#update(instance.id, { state }).catch(() => undefined);
      return;
    }
    if (entry.phase === "ending") return;
    const before = entry.work;
    entry.phase = "ending";
    entry.work = before.then(async () => {
      if (entry.machine !== undefined) {
        await this.#update(instance.id, { console: entry.machine.consoleOutput() }).catch(
          () => undefined,
        );
        await entry.machine.terminate();
      }
      entry.machine = undefined;
      entry.phase = "gone";
      if (!this.#closed) await this.#update(instance.id, { state }).catch(() => undefined);
    });
  }

  /** A machine that ended by itself takes its instance along. */
  async #onEnd(entry: Entry, how: "poweroff" | "terminated" | "crashed"): Promise<void> {
    if (this.#closed || entry.phase !== "running" || how === "terminated") return;
    const { id, shutdownBehaviour } = entry.instance;
    const terminate = how === "poweroff" && shutdownBehaviour === "terminate";
    const body = terminate ? { terminate, state: "shutting-down" } : { state: "stopping" };
    await this.#update(id, body).catch(() => undefined);
    this.#end(entry.instance, terminate ? "terminated" : "stopped");
    await entry.work;
  }

  async #update(id: string, body: object): Promise<void> {
    await this.#moto.ask("instance", { id, ...body });
  }

  #specOf(instance: InstanceView): MachineSpec {
    const { cloudPort, sshPort, folder, images, scenario } = this.#settings;
    return {
      instanceId: instance.id,
      hostname: `ip-${instance.privateIp.replaceAll(".", "-")}`,
      userData: userDataOf(instance),
      publicKeys: instance.publicKeys,
      metadata: metadataOf(instance, instance.privateIp),
      credentials: credentialsOf(instance),
      cloudPort,
      sshPort,
      diskGiB: instance.rootGiB,
      image: images.find(instance.imageId),
      gpu: gpuOfType(instance.type),
      folder: join(folder, instance.id),
      scenario,
    };
  }
}
