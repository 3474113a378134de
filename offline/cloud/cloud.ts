import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";
import { CallLog, type ApiCall } from "./call-log.ts";
import { clientEnvironment } from "./client-environment.ts";
import { Clock } from "./clock.ts";
import { serveControl } from "./control.ts";
import { apiBackend, launchOf } from "./api-backend.ts";
import { InstanceMachines } from "./ec2/instance-machines.ts";
import { MachineImages } from "./ec2/machine-images.ts";
import { MetadataService } from "./ec2/metadata-service.ts";
import { Faults, type Fault } from "./faults.ts";
import { BudgetWatch, type BudgetAlert } from "./gaps/budget-watch.ts";
import type { BillLine } from "./gaps/cost-explorer.ts";
import { freePort } from "./free-port.ts";
import { findLeftovers, type Leftover } from "./leftovers/leftovers.ts";
import type { MachineTier } from "./machines/machine.ts";
import { chooseTier, type TierChoice } from "./machines/tiers.ts";
import { motoCacheBytes } from "./moto/environment.ts";
import { startMoto, type Moto } from "./moto/moto.ts";
import { registerOwner, sweepOwners } from "./owners.ts";
import { Front } from "./proxy/front.ts";
import { requireRoom } from "./room.ts";
import { ObjectStore } from "./s3/object-store.ts";
import { s3Backend } from "./s3/s3-backend.ts";
import { SageMakerService } from "./sagemaker/sagemaker-service.ts";
import type { ServingImage } from "./sagemaker/serving-images.ts";
import { Schedules } from "./scheduler/schedules.ts";

export type { ApiCall } from "./call-log.ts";
export type { Fault } from "./faults.ts";
export type { BillLine } from "./gaps/cost-explorer.ts";
export type { Leftover } from "./leftovers/leftovers.ts";
export type { ServingImage } from "./sagemaker/serving-images.ts";

/** How an emulated AWS is to be. */
export interface CloudOptions {
  /** What EC2 instances run as. @default "auto": the best that this host allows */
  readonly tier?: TierChoice | undefined;
  /** A tier of the caller's own, in place of `tier`. */
  readonly machineTier?: MachineTier | undefined;
  /** Port that the machines' sshd listens on; always 22 for nspawn. @default a free one above 1024 */
  readonly sshPort?: number | undefined;
  readonly faults?: readonly Fault[] | undefined;
  /** Programs that stand for the images of SageMaker's endpoints and training jobs. @default none: they fail */
  readonly servingImages?: readonly ServingImage[] | undefined;
  /** How the fakes inside machines misbehave; see the tiers. */
  readonly scenario?: Readonly<Record<string, string>> | undefined;
  /** Told each step that takes time. */
  readonly log?: ((line: string) => void) | undefined;
  /** A file that every call is appended to, one JSON document a line. */
  readonly callLogFile?: string | undefined;
  /** Room for objects and machines in the state folder that has to be there at the start. @default 0 */
  readonly stateBytes?: number | undefined;
  /** Where objects and machines are kept. @default a new folder for temporary files, removed by `stop()` */
  readonly stateFolder?: string | undefined;
}

/** An AWS on loopback. */
export interface Cloud {
  /** `http://127.0.0.1:<port>`, for every service and region. */
  readonly endpoint: string;
  /** What to add to a process's environment so that AWS SDKs talk to this cloud. */
  readonly environment: Readonly<Record<string, string>>;
  readonly tier: "nspawn" | "process" | "none";
  readonly machineSshPort: number;
  /** For files that belong to this cloud: it goes when the cloud stops, or is swept when its process was killed. */
  readonly folder: string;
  /** Every call so far, oldest first. */
  calls(): readonly ApiCall[];
  /** The cloud's time. */
  now(): Date;
  /** Moves the cloud's time; resolves when schedules that became due have done their work. */
  advanceClock(seconds: number): Promise<void>;
  setFault(fault: Fault): void;
  clearFaults(): void;
  /** Adds lines to what Cost Explorer tells; nothing that runs here costs anything. */
  bill(...lines: readonly BillLine[]): void;
  /** What AWS Budgets would have sent so far; it looks when the clock is moved. */
  budgetAlerts(): readonly BudgetAlert[];
  /** Asks every API of the account; empty when nothing is there that a fresh account does not have. */
  leftovers(): Promise<readonly Leftover[]>;
  /** Ends moto and the machines and removes their files; may be called again. */
  stop(): Promise<void>;
}

/** The parts of a cloud that runs. */
interface Parts {
  readonly front: Front;
  readonly port: number;
  readonly moto: Moto;
  readonly schedules: Schedules;
  readonly machines: InstanceMachines | undefined;
  readonly store: ObjectStore;
  readonly sagemaker: SageMakerService;
  readonly log: CallLog;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly bill: BillLine[];
  readonly budgets: BudgetWatch;
  readonly unregister: () => Promise<void>;
  readonly folder: string;
  /** Whether the folder is the cloud's own, to be removed at the end. */
  readonly ownFolder: boolean;
  readonly sshPort: number;
  readonly tier: Cloud["tier"];
}

async function regionsOf({ moto, log }: Parts): Promise<string[]> {
  const called = log.all().map((call) => call.region);
  return [...new Set(["us-east-1", ...called, ...(await moto.ask<string[]>("regions"))])];
}

function cloudOf(parts: Parts): Cloud {
  const endpoint = `http://127.0.0.1:${parts.port}`;
  const { log, clock, faults, moto, machines, schedules, front, ownFolder, folder } = parts;
  const { sagemaker } = parts;
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    schedules.stop();
    await machines?.stop();
    await sagemaker.stop();
    await moto.stop();
    await front.close();
    await log.close();
    await parts.unregister();
    const parted = ["s3", "machines", "images", "endpoints"].map((name) => join(folder, name));
    const owned = ownFolder ? [folder] : parted;
    for (const each of owned) await rm(each, { recursive: true, force: true });
  };
  return {
    endpoint,
    environment: clientEnvironment(endpoint),
    tier: parts.tier,
    machineSshPort: parts.sshPort,
    folder,
    calls: () => log.all(),
    now: () => clock.now(),
    advanceClock: async (seconds) => {
      const end = new Date(clock.now().getTime() + seconds * 1000);
      await parts.budgets.during(async () => {
        await schedules.fireUntil(end);
        clock.moveTo(end);
        await machines?.settled();
        await sagemaker.settled();
      });
    },
    setFault: (fault) => {
      faults.set(fault);
    },
    clearFaults: () => {
      faults.clear();
    },
    bill: (...lines) => {
      parts.bill.push(...lines);
    },
    budgetAlerts: () => parts.budgets.alerts(),
    leftovers: async () => findLeftovers(endpoint, await regionsOf(parts)),
    stop: () => (stopping ??= stop()),
  };
}

/** Joins the front to what stands behind it. */
function connect(parts: Parts, cloud: Cloud): void {
  const metadata = new MetadataService();
  const { moto, machines, store } = parts;
  parts.front.connect({
    api: apiBackend(parts),
    s3: s3Backend(store, moto.port),
    launchOf: (call) => launchOf(moto, call),
    control: async (path, request, response) => {
      const [, id, below] = /^imds\/([^/]+)\/(.*)$/.exec(path) ?? [];
      const view = id === undefined ? undefined : machines?.find(id);
      if (view !== undefined && below !== undefined)
        metadata.answer(view, below, request, response);
      else {
        const instances = (): object[] =>
          (machines?.running() ?? []).map(({ instance, machine }) => ({
            id: instance.id,
            address: machine.address,
            sshPort: machine.sshPort,
          }));
        await serveControl({ ...cloud, instances }, path, request, response);
      }
    },
  });
}

/** What has to be undone when a start fails half-way, last first. */
type Undo = (() => Promise<unknown>)[];

/** What stands for SageMaker's containers, and how they find the cloud. */
function containersOf({ servingImages: images = [] }: CloudOptions, folder: string, port: number) {
  const environment = clientEnvironment(`http://127.0.0.1:${port}`);
  return { images, environment, folder: join(folder, "endpoints") };
}

async function assemble(
  options: CloudOptions,
  tier: MachineTier | undefined,
  undo: Undo,
): Promise<Parts> {
  const tell = options.log ?? (() => undefined);
  const log = new CallLog(options.callLogFile);
  undo.push(() => log.close());
  const clock = new Clock();
  const faults = new Faults();
  for (const fault of options.faults ?? []) faults.set(fault);
  const folder = options.stateFolder ?? (await mkdtemp(join(tmpdir(), "berth-cloud-")));
  await mkdir(folder, { recursive: true });
  const ownFolder = options.stateFolder === undefined;
  if (ownFolder) undo.push(() => rm(folder, { recursive: true, force: true }));
  const front = new Front(log, clock, faults);
  const port = await front.listen();
  undo.push(() => front.close());
  tell("emulated AWS: starting moto");
  const moto = await startMoto({ proxyPort: port, machines: tier !== undefined }, tell);
  undo.push(() => moto.stop());
  const unregister = await registerOwner(moto.pid, ownFolder ? folder : undefined);
  undo.push(unregister);
  const sshPort = tier?.name === "nspawn" ? 22 : (options.sshPort ?? (await freePort()));
  const machines =
    tier === undefined
      ? undefined
      : new InstanceMachines(moto, tier, {
          cloudPort: port,
          sshPort,
          folder: join(folder, "machines"),
          images: new MachineImages(join(folder, "images")),
          scenario: options.scenario ?? {},
          log: tell,
        });
  const schedules = new Schedules(moto, clock, log);
  const store = new ObjectStore(join(folder, "s3"));
  const containers = containersOf(options, folder, port);
  const bill: BillLine[] = [];
  return {
    store,
    sagemaker: new SageMakerService({ moto, store, clock, faults, ...containers }),
    front,
    port,
    moto,
    schedules,
    machines,
    log,
    clock,
    faults,
    bill,
    budgets: new BudgetWatch(moto, clock, bill),
    unregister,
    folder,
    ownFolder,
    sshPort,
    tier: tier?.name ?? "none",
  };
}

/** Says before anything is made that there is no Python, or no room. */
async function checkRoom(options: CloudOptions, tier: MachineTier | undefined): Promise<void> {
  const cacheBytes = (await motoCacheBytes()) + ((await tier?.cacheBytes()) ?? 0);
  await requireRoom([
    { path: cacheFolder(), bytes: cacheBytes, setting: "XDG_CACHE_HOME" },
    { path: options.stateFolder ?? tmpdir(), bytes: options.stateBytes ?? 0, setting: "TMPDIR" },
  ]);
}

/**
 * Starts an AWS on loopback: moto for state, a proxy in front of it for what moto lacks, and
 * machines for EC2 instances. Several may run side by side. It ends with this process, however that ends.
 * @throws {OfflineError} when Python, the machine tier asked for or room on the disk is missing.
 */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const tell = options.log ?? (() => undefined);
  await sweepOwners(tell);
  const undo: Undo = [];
  try {
    const tier = options.machineTier ?? (await chooseTier(options.tier ?? "auto"));
    await checkRoom(options, tier);
    await tier?.prepare(tell);
    const parts = await assemble(options, tier, undo);
    const cloud = cloudOf(parts);
    connect(parts, cloud);
    tell(`emulated AWS: listening on ${cloud.endpoint}, machines: ${cloud.tier}`);
    return cloud;
  } catch (error) {
    for (const each of undo.reverse()) await each().catch(() => undefined);
    throw error;
  }
}
