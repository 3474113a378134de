import {
  expiryTag,
  ownerTag,
  protectTag,
  runTag,
  stackTag,
  sweepTag,
} from "../../components/identity.ts";
import { rewriteLayers, type LeaseLayer } from "../../components/lease/lease-layers.ts";
import { removeInRounds } from "../../components/teardown/remove-rounds.ts";
import {
  AwsError,
  Crash,
  type ModelAccount,
  type Schedule,
  type Thing,
  type Weather,
} from "./model-account.ts";
import type { Random } from "./random.ts";

/** What an instance knows of its own end, minutes. */
export interface HostTimer {
  deadline: number;
  protected: boolean;
  /** How far its clock is off. */
  readonly skew: number;
}

/** The stack's state, as far as it was written before the client died. */
export interface ModelState {
  lease: { readonly runId: string; readonly startedAt: number; expiresAt: number } | undefined;
  readonly known: string[];
}

export const [stack, owner] = ["dev", "alice"];

/** What is deployed. */
export interface Wish {
  readonly target: "host" | "real-time" | "async";
  /** Whether weekly hours stop and start it: a real-time endpoint. */
  readonly hours: boolean;
  readonly budget: boolean;
}

const costs = ["instance", "endpoint"];

/** USD an hour of the rungs of a host's ladder: the first may lack capacity, and the second stands in. */
const rungs = [1, 1.6];

/** The name that an endpoint has before it is made, and again after each stop. */
export function endpointName(runId: string): string {
  return `${stack}-endpoint-${runId}`;
}

/** One person's commands against the account; each may fail, or die, at any call. */
export class DeploymentModel {
  readonly account: ModelAccount;
  readonly hosts = new Map<string, HostTimer>();
  state: ModelState = { lease: undefined, known: [] };
  weather: Weather;
  readonly wish: Wish;
  readonly #random: Random;
  #dead = false;
  #runs = 0;

  constructor(account: ModelAccount, random: Random, weather: Weather, wish: Wish) {
    this.wish = wish;
    this.account = account;
    this.#random = random;
    this.weather = weather;
  }

  /** Runs a command of a fresh process. @returns the error that it ended with, none when it came through */
  async command(work: () => Promise<void>): Promise<Error | undefined> {
    this.#dead = false;
    try {
      await work();
      return undefined;
    } catch (error) {
      // A command that goes on after its process died has only swallowed that.
      return this.#isDead() ? new Crash("dead") : (error as Error);
    }
  }

  #isDead(): boolean {
    return this.#dead;
  }

  /** Whether every layer of the lease that is there holds the same deadline. */
  isConsistent(): boolean {
    const { lease } = this.state;
    if (lease === undefined) return true;
    const layers = [...this.#schedules(lease.runId), ...this.#ownHosts()];
    return layers.every(({ deadline }) => deadline === lease.expiresAt);
  }

  /** The SDK's own retries of a call that may be made again. */
  #call<T>(work: () => T, attempts = 4): T {
    for (let left = attempts; ; left -= 1) {
      if (this.#dead) throw new Crash("dead");
      try {
        return this.account.call(this.weather, work);
      } catch (error) {
        if (error instanceof Crash) this.#dead = true;
        if (!(error instanceof AwsError) || left <= 1) throw error;
      }
    }
  }

  #tags(runId: string): Record<string, string> {
    return { [stackTag]: stack, [ownerTag]: owner, [runTag]: runId, [protectTag]: "false" };
  }

  #has(kind: string): boolean {
    return this.account
      .alive(({ id }) => this.state.known.includes(id))
      .some((each) => each.kind === kind);
  }

  /** Makes what the state does not know; a thing is known once its call came back. */
  #ensure(kind: string, make: () => Thing): void {
    if (!this.#has(kind)) this.state.known.push(this.#call(make).id);
  }

  /** Armed first, launched last; a lease that is over is refused. */
  up(leaseMinutes: number): Promise<void> {
    const { account } = this;
    const { now } = account;
    if (this.state.lease === undefined) {
      this.#runs += 1;
      const runId = `${String(this.#runs).padStart(4, "0")}abcdef01`;
      this.state.lease = { runId, startedAt: now, expiresAt: now + leaseMinutes };
    }
    const { runId, expiresAt } = this.state.lease;
    if (now >= expiresAt) return Promise.reject(new Error("the lease is over"));
    const tags = { ...this.#tags(runId), [expiryTag]: String(expiresAt) };
    if (this.wish.budget) {
      if (this.#random.chance(0.1)) return Promise.reject(new AwsError("AccessDenied"));
      this.#ensure("budget", () => account.make("budget", this.#tags(runId)));
    }
    for (const kind of ["vpc", "role", "schedule-group", "stateMachine"]) {
      this.#ensure(kind, () => account.make(kind, tags));
    }
    this.#arm(runId, expiresAt);
    this.#ensurePaid(runId, tags, expiresAt);
    return Promise.resolve();
  }

  #arm(runId: string, deadline: number): void {
    const { schedules } = this.account;
    const hours = this.wish.hours ? (["hours-start", "hours-stop"] as const) : [];
    for (const kind of ["at-deadline", "after-deadline", ...hours] as const) {
      const is = (each: Schedule) => each.group === runId && each.kind === kind;
      if (schedules.some(is)) continue;
      const open = { enabled: true, fired: false, startsProtected: false };
      this.#call(() => {
        // A name that is taken is an error, and as good as made.
        if (!schedules.some(is)) schedules.push({ group: runId, kind, deadline, ...open });
      });
    }
  }

  /** The host or the endpoint; one that a cut-off `up` made is taken, and none is made twice. */
  #ensurePaid(runId: string, tags: Record<string, string>, expiresAt: number): void {
    const { account } = this;
    const kind = this.wish.target === "host" ? "instance" : "endpoint";
    if (this.#has(kind)) return;
    const own = (each: Thing) => each.kind === kind && each.tags[runTag] === runId;
    const [left] = this.#call(() => account.alive(own));
    if (left !== undefined) {
      this.state.known.push(left.id);
      return;
    }
    if (kind === "instance") {
      const hourlyUsd = rungs.find(() => !this.#random.chance(0.25));
      if (hourlyUsd === undefined) throw new AwsError("InsufficientInstanceCapacity");
      this.#ensure(kind, () => this.#launch(tags, expiresAt, hourlyUsd));
      return;
    }
    const id = endpointName(runId);
    const make = () => account.alive(own)[0] ?? account.make(kind, tags, { id });
    const made = this.#call(make).id;
    if (!this.state.known.includes(made)) this.state.known.push(made);
  }

  #launch(tags: Record<string, string>, deadline: number, hourlyUsd: number): Thing {
    const instance = this.account.make("instance", tags, { hourlyUsd });
    for (const kind of ["volume", "network-interface", "spot-request"])
      this.account.make(kind, tags, { partOf: instance.id });
    this.hosts.set(instance.id, { deadline, protected: false, skew: this.#random.whole(-3, 3) });
    return instance;
  }

  #layer(name: string, read: () => string | undefined, write: (value: string) => void): LeaseLayer {
    return {
      name,
      read: () => Promise.resolve(this.#call(read)),
      write: (value) => {
        this.#call(() => {
          write(value);
        }, 2);
        return Promise.resolve();
      },
    };
  }

  #schedules(runId: string): readonly Schedule[] {
    return this.account.schedules.filter(({ group }) => group === runId);
  }

  #ownHosts(): readonly HostTimer[] {
    const live = this.account.alive(
      ({ id }) => this.state.known.includes(id) && this.hosts.has(id),
    );
    return live.flatMap(({ id }) => this.hosts.get(id) ?? []);
  }

  #tagLayer(runId: string, key: string): LeaseLayer {
    const { account } = this;
    // An endpoint says whether it is protected itself, and on the group of its schedules for when it is stopped.
    const carries = ({ kind }: Thing) =>
      this.wish.target === "host" || ["endpoint", "schedule-group"].includes(kind);
    const own = () => account.alive((each) => each.tags[runTag] === runId && carries(each));
    return this.#layer(
      `tags ${key}`,
      () => own().find(({ kind }) => costs.includes(kind))?.tags[key] ?? own()[0]?.tags[key] ?? "",
      (value) => {
        const ids = own().map(({ id }) => id);
        account.tag(ids, key, value);
        account.tag(ids, sweepTag, undefined);
      },
    );
  }

  /** `berth extend`, by the product's own rewriting of layers. */
  async extend(minutes: number): Promise<void> {
    const { lease } = this.state;
    if (lease === undefined) throw new Error("no lease");
    const to = Math.max(lease.expiresAt, this.account.now) + minutes;
    await rewriteLayers(
      [
        ...this.#schedules(lease.runId).map((schedule) =>
          this.#layer(
            schedule.kind,
            () => String(schedule.deadline),
            (value) => {
              schedule.fired &&= schedule.deadline === Number(value);
              schedule.deadline = Number(value);
            },
          ),
        ),
        ...this.#ownHosts().map((host) =>
          this.#layer(
            "host",
            () => String(host.deadline),
            (value) => (host.deadline = Number(value)),
          ),
        ),
        this.#tagLayer(lease.runId, expiryTag),
        this.#layer(
          "state",
          () => String(lease.expiresAt),
          (value) => (lease.expiresAt = Number(value)),
        ),
      ],
      String(to),
    );
  }

  /** `berth protect` and `--off`. */
  async protect(on: boolean): Promise<void> {
    const { lease } = this.state;
    if (lease === undefined) throw new Error("no lease");
    if (!on && this.account.now >= lease.expiresAt) throw new Error("the lease is over");
    // With nothing there it is a wish for the next `up`, kept in the stack's file, which this model has none of.
    if (this.account.alive(({ tags }) => tags[runTag] === lease.runId).length === 0) {
      throw new Error("nothing of it is there");
    }
    await rewriteLayers(
      [
        this.#tagLayer(lease.runId, protectTag),
        ...this.#ownHosts().map((host) =>
          this.#layer(
            "host",
            () => String(host.protected),
            (value) => (host.protected = value === "true"),
          ),
        ),
        ...this.#schedules(lease.runId).map((schedule) =>
          schedule.kind === "hours-start"
            ? this.#layer(
                "what weekly hours start",
                () => String(schedule.startsProtected),
                (value) => (schedule.startsProtected = value === "true"),
              )
            : this.#layer(
                schedule.kind,
                () => String(!schedule.enabled),
                (value) => (schedule.enabled = value !== "true"),
              ),
        ),
      ],
      String(on),
    );
  }

  /** `berth down --save`: the files first, which takes minutes in which the account goes on, then everything. */
  saveAndDown(save: () => boolean): Promise<void> {
    return save() ? this.down() : Promise.reject(new Error("nothing was taken down"));
  }

  /** `berth down --force`: what the state knows, then what carries the owner's tags, by the product's own rounds. */
  async down(byStateAlone = false): Promise<void> {
    const { account, state } = this;
    for (const id of state.known) {
      this.#call(() => {
        account.end(id, "down");
      }, 8);
    }
    this.state = byStateAlone ? { lease: undefined, known: [] } : state;
    if (byStateAlone) return;
    const own = ({ tags }: Thing) => tags[stackTag] === stack && tags[ownerTag] === owner;
    await removeInRounds<Thing>(
      {
        ask: () => Promise.resolve(this.#call(() => account.alive(own), 8)),
        remove: ({ id }) => {
          try {
            this.#call(() => {
              account.end(id, "down");
            }, 1);
            return Promise.resolve(undefined);
          } catch (error) {
            if (error instanceof Crash) throw error;
            return Promise.resolve(String(error));
          }
        },
        key: ({ id }) => id,
        rank: ({ kind }) => ["spot-request", "instance"].indexOf(kind) + 1,
        pause: () => Promise.resolve(),
        tell: () => undefined,
      },
      12,
    );
    this.state = { lease: undefined, known: [] };
  }
}
