import { protectTag, runTag } from "../../components/identity.ts";
import { ledgerOf, totalUsd } from "../../components/cost/ledger.ts";
import type { PricePoint, RunRecord } from "../../components/cost/usage.ts";
import { LayerError } from "../../components/lease/lease-layers.ts";
import { sweepByTag } from "../../components/teardown/sweep-by-tag.ts";
import { sweepBounds } from "../../components/teardown/teardown-times.ts";
import { terminateByTag } from "../../components/teardown/terminate-by-tag.ts";
import { DeploymentModel, owner, stack } from "./deployment-model.ts";
import {
  AwsError,
  ModelAccount,
  type Schedule,
  type Thing,
  type Weather,
} from "./model-account.ts";
import { Random } from "./random.ts";
import { runMachine } from "./state-machine.ts";

const paidKinds = ["instance", "volume", "spot-request"];
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
}

interface Broken {
  readonly host: boolean;
  readonly terminator: boolean;
  readonly sweeper: boolean;
}

/** At most two of the three: one layer is always left. */
function breakLayers(random: Random): Broken {
  const broken = {
    host: random.chance(0.4),
    terminator: random.chance(0.4),
    sweeper: random.chance(0.4),
  };
  if (!broken.host || !broken.terminator || !broken.sweeper) return broken;
  return { ...broken, [random.pick(["host", "terminator", "sweeper"])]: false };
}

function weatherOf(random: Random): Weather {
  return {
    throttled: random.next() * 0.2,
    lost: random.next() * 0.15,
    crash: random.chance(0.6) ? random.next() * 0.12 : 0,
  };
}

const iso = (minute: number) =>
  `${new Date(Date.UTC(2026, 10, 1) + minute * 60_000).toISOString().slice(0, 19)}Z`;

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

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#weather = weatherOf(this.#random);
    this.#account = new ModelAccount(this.#random);
    this.#model = new DeploymentModel(this.#account, this.#random, this.#weather);
    this.#broken = breakLayers(this.#random);
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
    ] as const;
    let horizon = this.#horizon();
    for (; this.#account.now < horizon; this.#account.now += 1) {
      if (this.#random.chance(0.02)) await this.#act(this.#random.pick(actions));
      this.#layers();
      this.#check();
      horizon = Math.min(this.#horizon(), 3000);
    }
    this.#checkLedger();
    this.#model.weather = { throttled: 0.4, lost: 0.2, crash: 0 };
    // One that fails says so, and is run again.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      if ((await this.#model.command(() => this.#model.down())) === undefined) break;
    }
    const left = this.#account.alive();
    if (left.length > 0) this.#violate(`${left.length} left after down: ${left[0]?.id ?? ""}`);
  }

  #violate(text: string): void {
    if (this.violations.length < 5) this.violations.push(`at ${this.#account.now} min: ${text}`);
  }

  #horizon(): number {
    const ends = this.#account.schedules.map(({ deadline }) => deadline);
    const hosts = [...this.#model.hosts.values()].map(({ deadline }) => deadline);
    return Math.max(60, ...ends, ...hosts) + graceMinutes + 10;
  }

  async #act(
    action: "up" | "extend" | "protect" | "unprotect" | "lose-state" | "reclaim",
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
      case "reclaim": {
        const [instance] = this.#account.alive(({ kind }) => kind === "instance");
        if (instance !== undefined) this.#account.end(instance.id, "spot");
      }
    }
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
    const done = (await this.#model.command(() => this.#model.protect(on))) === undefined;
    for (const { id } of this.#own()) {
      if (on && done) this.#protected.add(id);
      // Once it was asked for, it may be gone in part.
      if (!on) this.#protected.delete(id);
    }
  }

  /** Instances that the state knows. */
  #own(): readonly Thing[] {
    const { known } = this.#model.state;
    return this.#account.alive(({ id, kind }) => kind === "instance" && known.includes(id));
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
  }

  #fire(schedule: Schedule): void {
    const { now } = this.#account;
    const run = { stack, owner, runId: schedule.group };
    if (schedule.kind === "at-deadline") {
      if (schedule.fired || now < schedule.deadline + this.#delay) return;
      schedule.fired = true;
      this.#machine(terminateByTag(run), "terminator");
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
  #machine(definition: string, name: "terminator" | "sweeper"): void {
    try {
      runMachine(definition, { time: iso(this.#account.now) }, (call, parameters) => {
        if (this.#broken[name]) throw new AwsError("AccessDenied");
        if (this.#random.chance(this.#weather.throttled))
          throw new AwsError("RequestLimitExceeded");
        const before = new Set(this.#account.alive().map(({ id }) => id));
        const answer = this.#account.byMachine(call, parameters, name);
        for (const { id, endedAt } of this.#account.things) {
          if (before.has(id) && endedAt !== undefined) this.#checkEnded(id, name);
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

  /** The ledger from what EC2 tells of launch and end, against the account's meter, minute by minute. */
  #checkLedger(): void {
    const { now, things } = this.#account;
    const price = (minute: number) => 1 + 0.5 * Math.sin(Math.floor(minute / 60));
    const instances = things.filter(({ kind }) => kind === "instance");
    let metered = 0;
    const runs = instances.map(({ id, madeAt, endedAt }): RunRecord => {
      for (let minute = madeAt; minute < (endedAt ?? now); minute += 1)
        metered += price(minute) / 60;
      const history: PricePoint[] = [];
      for (let minute = madeAt - (madeAt % 60); minute <= (endedAt ?? now); minute += 60) {
        history.push({ from: iso(minute), hourlyUsd: price(minute) });
      }
      const [first = { from: iso(madeAt), hourlyUsd: price(madeAt) }, ...rest] = history;
      const span = { from: iso(madeAt), to: endedAt === undefined ? undefined : iso(endedAt) };
      const usage = { kind: "instance", resourceId: id, type: "g6.xlarge", units: 1 } as const;
      const identity = { runId: id, stack, env: "dev", owner, model: "m", region: "us-east-1" };
      return { ...identity, charges: [], usages: [{ ...usage, span, prices: [first, ...rest] }] };
    });
    const ours = totalUsd(ledgerOf(runs, new Date(iso(now))));
    if (Math.abs(ours - metered) > Math.max(0.02 * metered, instances.length / 30))
      this.#violate(`the ledger says ${ours}, the account ${metered}`);
  }
}

/** Lives one life: commands, faults and a clock, all from the seed. */
export async function live(seed: number): Promise<Lifetime> {
  const life = new Life(seed);
  await life.run();
  const { account, violations } = life;
  const instances = account.things.filter(({ kind }) => kind === "instance").length;
  return { seed, violations, calls: account.calls, instances };
}
