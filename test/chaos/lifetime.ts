import { expiryTag, ownerTag, protectTag, runTag, stackTag } from "../../components/identity.ts";
import { ledgerOf, totalUsd } from "../../components/cost/ledger.ts";
import { LayerError } from "../../components/lease/lease-layers.ts";
import { auditRuns, isFixable, type AccountThing } from "../../components/teardown/audit.ts";
import { deleteEndpoint } from "../../components/teardown/delete-endpoint.ts";
import { sweepByTag } from "../../components/teardown/sweep-by-tag.ts";
import {
  lastStart,
  startEventSeconds,
  sweepBounds,
} from "../../components/teardown/teardown-times.ts";
import { terminateByTag } from "../../components/teardown/terminate-by-tag.ts";
import { DeploymentModel, endpointName, owner, stack, type Wish } from "./deployment-model.ts";
import { iso, meter, recordOf } from "./metered.ts";
import {
  AwsError,
  ModelAccount,
  type Schedule,
  type Thing,
  type Weather,
} from "./model-account.ts";
import { Random } from "./random.ts";
import { runMachine } from "./state-machine.ts";

const paidKinds = ["instance", "volume", "spot-request", "endpoint"];
const servingKinds = ["instance", "endpoint"];
/** Weekly hours, shortened: every so many minutes a start, and after it a stop. */
const [hoursEvery, hoursOpen] = [60, 35];
/** Minutes after the deadline by which nothing that costs may be left. */
const graceMinutes = 15;
/** What the host waits beyond its deadline; see user-data.ts. */
const hostGraceMinutes = 5;

/** What came of one life; without violations all that berth promises held. */
export interface Lifetime {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly calls: number;
  readonly instances: number;
  readonly endpoints: number;
}

/** A defect that is put in on purpose, to see that it is found. */
export interface Planted {
  /** How a definition of a state machine differs from the product's. */
  readonly definition?: (definition: string) => string;
  /** Minutes for which a refused start of weekly hours is tried again. */
  readonly startEventMinutes?: number;
  /** Only the endpoint says that it is protected, so that nothing does while it is stopped, or once it was. */
  readonly protectedByEndpointAlone?: boolean;
  /** `down --save` goes on after a save that failed. */
  readonly downAfterFailedSave?: boolean;
  /** `down` removes what the state knows, and nothing by its tags. */
  readonly downByStateAlone?: boolean;
  /** The ledger takes an endpoint for one instance all the time. */
  readonly ledgerWithoutReports?: boolean;
}

/** What is special about a life. */
export interface LifeOptions {
  readonly planted?: Planted;
  /** @default by the seed */
  readonly wish?: Wish | undefined;
}

interface Broken {
  readonly host: boolean;
  readonly terminator: boolean;
  readonly sweeper: boolean;
}

/** One layer is always left: of a host's three, or of an endpoint's two. */
function breakLayers(random: Random, isHost: boolean): Broken {
  const broken = {
    host: random.chance(0.4),
    terminator: random.chance(0.4),
    sweeper: random.chance(0.4),
  };
  if ((isHost && !broken.host) || !broken.terminator || !broken.sweeper) return broken;
  const whole = isHost
    ? random.pick(["host", "terminator", "sweeper"])
    : random.pick(["terminator", "sweeper"]);
  return { ...broken, [whole]: false };
}

function wishOf(random: Random): Wish {
  const target = random.pick<Wish["target"]>(["host", "host", "real-time", "async"]);
  return {
    target,
    hours: target === "real-time" && random.chance(0.5),
    budget: random.chance(0.3),
  };
}

function weatherOf(random: Random): Weather {
  return {
    throttled: random.next() * 0.2,
    lost: random.next() * 0.15,
    crash: random.chance(0.6) ? random.next() * 0.12 : 0,
  };
}

/** A thing as an audit reads it: times are the account's. */
function auditedThing({ id, kind, tags, madeAt }: Thing): AccountThing {
  const expires = tags[expiryTag];
  const timed = expires === undefined ? tags : { ...tags, [expiryTag]: iso(Number(expires)) };
  return { region: "us-east-1", service: "", kind, id, tags: timed, changedAt: iso(madeAt) };
}

class Life {
  readonly #random: Random;
  readonly #account: ModelAccount;
  readonly #model: DeploymentModel;
  readonly #broken: Broken;
  readonly #delay: number;
  readonly #weather: Weather;
  readonly violations: string[] = [];
  /** By instance: until when the last command that came through promised it. */
  readonly #promised = new Map<string, number>();
  readonly #protected = new Set<string>();

  readonly #planted: Planted;
  /** Starts of weekly hours that were refused so far, with the minute at which they were due. */
  readonly #starts: { readonly schedule: Schedule; readonly due: number }[] = [];
  /** What the last reading of an audit found over. */
  #over: readonly string[] = [];

  /** Minutes after its last end that a life goes on: in some, long enough for two readings of an audit. */
  readonly #afterwards: number;

  constructor(seed: number, { planted, wish: wanted }: LifeOptions) {
    this.#planted = planted ?? {};
    this.#random = new Random(seed);
    this.#afterwards = this.#random.chance(0.3) ? 150 : 10;
    this.#weather = weatherOf(this.#random);
    this.#account = new ModelAccount(this.#random);
    const wish = wanted ?? wishOf(this.#random);
    this.#model = new DeploymentModel(this.#account, this.#random, this.#weather, wish);
    this.#broken = breakLayers(this.#random, wish.target === "host");
    this.#delay = this.#random.whole(0, 4);
  }

  get account(): ModelAccount {
    return this.#account;
  }

  async run(): Promise<void> {
    await this.#act("up");
    const actions = [
      "up",
      "extend",
      "extend",
      "protect",
      "unprotect",
      "lose-state",
      "reclaim",
      "save-and-down",
    ] as const;
    let horizon = this.#horizon();
    for (; this.#account.now < horizon; this.#account.now += 1) {
      if (this.#random.chance(0.02)) await this.#act(this.#random.pick(actions));
      this.#minute();
      horizon = Math.min(this.#horizon(), 3000);
    }
    this.#checkLedger();
    this.#model.weather = { throttled: 0.4, lost: 0.2, crash: 0 };
    // One that fails says so, and is run again.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const done = await this.#model.command(() =>
        this.#model.down(this.#planted.downByStateAlone),
      );
      if (done === undefined) break;
    }
    const left = this.#account.alive();
    if (left.length > 0) this.#violate(`${left.length} left after down: ${left[0]?.id ?? ""}`);
  }

  /** What happens without anybody. */
  #minute(): void {
    this.#layers();
    if (this.#account.now % 60 === 0) this.#audit();
    for (const thing of this.#account.alive(({ kind }) => kind === "endpoint")) this.#count(thing);
    this.#check();
  }

  /** An endpoint in real time has its one instance; an asynchronous one scales, down to none. */
  #count({ counts }: Thing): void {
    const scales = this.#model.wish.target === "async";
    const last = counts.at(-1) ?? (scales ? 0 : 1);
    counts.push(scales && this.#random.chance(0.05) ? this.#random.whole(0, 2) : last);
  }

  /** The workflow's `berth audit --fix`, with the product's own judgement: what two readings find over goes. */
  #audit(): void {
    const { now } = this.#account;
    const silent = this.#planted.protectedByEndpointAlone === true;
    const things = this.#account
      .alive(({ kind, tags }) => runTag in tags && !(silent && kind === "schedule-group"))
      .map(auditedThing);
    const at = new Date(iso(now));
    const over = auditRuns(things, at).filter((run) => isFixable(run, at));
    for (const run of over) {
      if (!this.#over.includes(run.runId)) continue;
      if (this.#protected.has(endpointName(run.runId)))
        this.#violate("a protected stack audited away");
      for (const { id } of run.things) this.#end(id, "audit");
    }
    this.#over = over.map(({ runId }) => runId);
  }

  #violate(text: string): void {
    if (this.violations.length < 5) this.violations.push(`at ${this.#account.now} min: ${text}`);
  }

  #horizon(): number {
    const ends = this.#account.schedules.map(({ deadline }) => deadline);
    const hosts = [...this.#model.hosts.values()].map(({ deadline }) => deadline);
    return Math.max(60, ...ends, ...hosts) + graceMinutes + this.#afterwards;
  }

  async #act(
    action: "up" | "extend" | "protect" | "unprotect" | "lose-state" | "reclaim" | "save-and-down",
  ): Promise<void> {
    const model = this.#model;
    switch (action) {
      case "up":
        if ((await model.command(() => model.up(this.#random.whole(30, 240)))) === undefined)
          this.#promise();
        return;
      case "extend":
        await this.#extend();
        return;
      case "protect":
      case "unprotect":
        await this.#protect(action === "protect");
        return;
      case "lose-state":
        model.state = { lease: undefined, known: [] };
        return;
      case "save-and-down":
        await this.#saveAndDown();
        return;
      case "reclaim": {
        const [instance] = this.#account.alive(({ kind }) => kind === "instance");
        if (instance !== undefined) this.#account.end(instance.id, "spot");
      }
    }
  }

  /** Nothing is taken down when the save failed, and meanwhile the account goes on: no deadline waits for it. */
  async #saveAndDown(): Promise<void> {
    // Protected or not there, it is refused before anything is saved.
    if (this.#own().length === 0 || this.#own().some(({ id }) => this.#protected.has(id))) return;
    const saved = this.#random.chance(0.5);
    const minutes = this.#random.whole(1, 40);
    let before = 0;
    await this.#model.command(() =>
      this.#model.saveAndDown(() => {
        for (let minute = 0; minute < minutes; minute += 1) {
          this.#account.now += 1;
          this.#minute();
        }
        before = this.#account.alive().length;
        return saved || this.#planted.downAfterFailedSave === true;
      }),
    );
    if (saved) for (const { id } of this.#account.things) this.#promised.delete(id);
    else if (this.#account.alive().length < before) this.#violate("down after a failed save");
  }

  async #extend(): Promise<void> {
    const model = this.#model;
    const before = model.isConsistent();
    const error = await model.command(() => model.extend(this.#random.whole(10, 180)));
    const whole = error === undefined || (error instanceof LayerError && error.stuck.length === 0);
    if (before && whole && !model.isConsistent()) this.#violate("extended in part");
    if (error === undefined) this.#promise();
  }

  async #protect(on: boolean): Promise<void> {
    const { known } = this.#model.state;
    const done = (await this.#model.command(() => this.#model.protect(on))) === undefined;
    const endpoints = known.filter((id) => id.includes("-endpoint-"));
    for (const id of [...this.#own().map((each) => each.id), ...endpoints]) {
      if (on && done) this.#protected.add(id);
      // Once it was asked for, it may be gone in part.
      if (!on) this.#protected.delete(id);
    }
  }

  /** What serves and the state knows. */
  #own(): readonly Thing[] {
    const { known } = this.#model.state;
    return this.#account.alive(({ id, kind }) => servingKinds.includes(kind) && known.includes(id));
  }

  #promise(): void {
    const expiresAt = this.#model.state.lease?.expiresAt ?? 0;
    for (const { id } of this.#own()) this.#promised.set(id, expiresAt);
  }

  #layers(): void {
    const account = this.#account;
    for (const { id } of account.alive(({ kind }) => kind === "instance")) {
      const host = this.#model.hosts.get(id);
      if (host === undefined || host.protected || this.#broken.host) continue;
      if (account.now + host.skew >= host.deadline + hostGraceMinutes) this.#end(id, "host");
    }
    for (const schedule of account.schedules) if (schedule.enabled) this.#fire(schedule);
    for (const start of this.#starts.splice(0)) this.#start(start);
  }

  /** EventBridge Scheduler tries a refused start again while it is young enough. */
  #start(start: { readonly schedule: Schedule; readonly due: number }): void {
    const { now } = this.#account;
    if (now - start.due > (this.#planted.startEventMinutes ?? startEventSeconds / 60)) return;
    if (this.#random.chance(0.85)) {
      this.#starts.push(start);
      return;
    }
    const { group, startsProtected } = start.schedule;
    const id = endpointName(group);
    const configured = ({ kind, tags }: Thing) => kind === "role" && tags[runTag] === group;
    if (this.#account.alive(configured).length === 0) return;
    if (this.#account.alive((each) => each.id === id).length > 0) return;
    const protect = startsProtected && this.#planted.protectedByEndpointAlone !== true;
    const tags = { [stackTag]: stack, [ownerTag]: owner, [runTag]: group };
    this.#account.make("endpoint", { ...tags, [protectTag]: String(protect) }, { id });
  }

  #switch(schedule: Schedule): void {
    const { group, kind, deadline } = schedule;
    const { now } = this.#account;
    const starts = kind === "hours-start";
    if (now % hoursEvery !== (starts ? 0 : hoursOpen)) return;
    if (iso(now) > (starts ? lastStart(iso(deadline)) : iso(deadline))) return;
    if (starts) {
      this.#starts.push({ schedule, due: now });
      return;
    }
    const id = endpointName(group);
    const [endpoint] = this.#account.alive((each) => each.id === id);
    if (endpoint?.tags[protectTag] !== "false") return;
    this.#account.end(id, "hours");
    if (this.#protected.has(id)) this.#violate(`${id} stopped although it is protected`);
  }

  #fire(schedule: Schedule): void {
    if (schedule.kind.startsWith("hours-")) {
      this.#switch(schedule);
      return;
    }
    const { now } = this.#account;
    const run = { stack, owner, runId: schedule.group };
    if (schedule.kind === "at-deadline") {
      if (schedule.fired || now < schedule.deadline + this.#delay) return;
      schedule.fired = true;
      const host = this.#model.wish.target === "host";
      const machine = host
        ? terminateByTag(run)
        : deleteEndpoint({ endpointName: endpointName(run.runId), components: [] });
      this.#machine(machine, "terminator");
      return;
    }
    const { startDate, endDate } = sweepBounds(iso(schedule.deadline));
    const [start, end] = [startDate, endDate].map(
      (date) => (Date.parse(date) - Date.parse(iso(0))) / 60_000,
    );
    if (start === undefined || end === undefined || now < start || now > end) return;
    if ((now - start) % 5 === 0) this.#machine(sweepByTag(run), "sweeper");
  }

  /** Runs the product's own definition, with a role that may have lost its rights. */
  #machine(product: string, name: "terminator" | "sweeper"): void {
    const definition = this.#planted.definition?.(product) ?? product;
    try {
      runMachine(definition, { time: iso(this.#account.now) }, (call, parameters) => {
        if (this.#broken[name]) throw new AwsError("AccessDenied");
        if (this.#random.chance(this.#weather.throttled))
          throw new AwsError("RequestLimitExceeded");
        const before = new Set(this.#account.alive());
        const answer = this.#account.byMachine(call, parameters, name);
        for (const thing of before) {
          if (thing.endedAt !== undefined) this.#checkEnded(thing.id, name);
        }
        return answer;
      });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
    }
  }

  #end(id: string, by: string): void {
    this.#account.end(id, by);
    this.#checkEnded(id, by);
  }

  #checkEnded(id: string, by: string): void {
    const promised = this.#promised.get(id) ?? 0;
    if (this.#account.now < promised)
      this.#violate(`${id} ended by ${by}, promised until ${promised}`);
    if (this.#protected.has(id)) this.#violate(`${id} ended by ${by} although it is protected`);
  }

  /** Nothing that costs outlives the latest deadline that any layer holds by more than the grace. */
  #check(): void {
    const { now, schedules } = this.#account;
    for (const thing of this.#account.alive(({ kind }) => paidKinds.includes(kind))) {
      if (thing.tags[protectTag] === "true") continue;
      const host = this.#model.hosts.get(thing.partOf ?? thing.id);
      const own = schedules.filter(({ group }) => group === thing.tags[runTag]);
      if (own.some(({ enabled }) => !enabled)) continue;
      const latest = Math.max(host?.deadline ?? 0, ...own.map(({ deadline }) => deadline));
      if (now > latest + graceMinutes) this.#violate(`${thing.id} is there, its end was ${latest}`);
    }
  }

  /** The ledger from what EC2, SageMaker and CloudWatch tell, against the account's meter, minute by minute. */
  #checkLedger(): void {
    const { now, things } = this.#account;
    const serving = things.filter(({ kind }) => servingKinds.includes(kind));
    const metered = serving.reduce((sum, thing) => sum + meter(thing, now), 0);
    const reports = this.#planted.ledgerWithoutReports !== true;
    const runs = serving.map((thing) => recordOf(thing, now, reports));
    const ours = totalUsd(ledgerOf(runs, new Date(iso(now))));
    if (Math.abs(ours - metered) > Math.max(0.02 * metered, serving.length / 20))
      this.#violate(`the ledger says ${ours}, the account ${metered}`);
  }
}

/** Lives one life: commands, faults and a clock, all from the seed. */
export async function live(seed: number, options: LifeOptions = {}): Promise<Lifetime> {
  const life = new Life(seed, options);
  await life.run();
  const { account, violations } = life;
  const count = (wanted: string) => account.things.filter(({ kind }) => kind === wanted).length;
  const made = { instances: count("instance"), endpoints: count("endpoint") };
  return { seed, violations, calls: account.calls, ...made };
}
