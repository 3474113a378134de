import { protectTag } from "../../components/identity.ts";
import type { Random } from "./random.ts";

/** A thing of the account, in minutes of its time. */
export interface Thing {
  readonly id: string;
  readonly kind: string;
  readonly tags: Record<string, string>;
  readonly madeAt: number;
  endedAt: number | undefined;
  /** Ends with this one. */
  readonly partOf: string | undefined;
  /** Who ended it. */
  endedBy: string | undefined;
  /** USD an hour of one instance, recorded at its launch. */
  readonly hourlyUsd: number;
  /** Instances of an endpoint, minute by minute from `madeAt` on; of nothing else. */
  readonly counts: number[];
}

/** A schedule, which has no tags. */
export interface Schedule {
  readonly group: string;
  readonly kind: "at-deadline" | "after-deadline" | "hours-start" | "hours-stop";
  /** The deadline that it was given, minutes. */
  deadline: number;
  enabled: boolean;
  fired: boolean;
  /** Whether what weekly hours start is protected. */
  startsProtected: boolean;
}

/** An answer that AWS gives in place of the wished one. */
export class AwsError extends Error {
  override readonly name: string;

  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

/** The client's process is gone. */
export class Crash extends Error {
  override readonly name = "Crash";
}

const listKeys: Readonly<Record<string, readonly [kind: string, list: string, id: string]>> = {
  "ec2:describeSpotInstanceRequests": [
    "spot-request",
    "SpotInstanceRequests",
    "SpotInstanceRequestId",
  ],
  "ec2:describeInstances": ["instance", "Instances", "InstanceId"],
  "ec2:describeVolumes": ["volume", "Volumes", "VolumeId"],
  "ec2:describeSnapshots": ["snapshot", "Snapshots", "SnapshotId"],
  "ec2:describeAddresses": ["address", "Addresses", "AllocationId"],
  "ec2:describeLaunchTemplates": ["launch-template", "LaunchTemplates", "LaunchTemplateId"],
};

/** EC2 answers so many things at once, and no more without a token. */
const pageSize = 1000;

interface Filter {
  readonly Name: string;
  readonly Values: readonly string[];
}

interface TagFilter {
  readonly Key: string;
  readonly Values?: readonly string[];
}

const arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint";

/** How calls fail. */
export interface Weather {
  /** Probability that a call is refused before it does anything. */
  readonly throttled: number;
  /** Probability that a call does its work and its answer is lost. */
  readonly lost: number;
  /** Probability that the client dies at a call: half of the time after it did its work. */
  readonly crash: number;
}

/** A model of an AWS account: things with tags, schedules, and calls that can fail in AWS's ways. */
export class ModelAccount {
  now = 0;
  calls = 0;
  readonly things: Thing[] = [];
  readonly schedules: Schedule[] = [];
  readonly #random: Random;
  #made = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** One call of a client: it may fail, and the client may not learn what came of it. */
  call<T>(weather: Weather, work: () => T): T {
    this.calls += 1;
    const crashes = this.#random.chance(weather.crash);
    if (crashes && this.#random.chance(0.5)) throw new Crash("before");
    if (this.#random.chance(weather.throttled)) throw new AwsError("RequestLimitExceeded");
    const result = work();
    if (crashes) throw new Crash("after");
    if (this.#random.chance(weather.lost)) throw new AwsError("TimeoutError");
    return result;
  }

  make(
    kind: string,
    tags: Readonly<Record<string, string>>,
    { id, partOf, hourlyUsd = 1 }: Partial<Pick<Thing, "id" | "partOf" | "hourlyUsd">> = {},
  ): Thing {
    this.#made += 1;
    const made = { id: id ?? `${kind}-${this.#made}`, kind, tags: { ...tags }, madeAt: this.now };
    const open = { endedAt: undefined, partOf, endedBy: undefined };
    const thing: Thing = { ...made, ...open, hourlyUsd, counts: [] };
    this.things.push(thing);
    return thing;
  }

  end(id: string, by: string): void {
    for (const thing of this.things) {
      if ((thing.id !== id && thing.partOf !== id) || thing.endedAt !== undefined) continue;
      thing.endedAt = this.now;
      thing.endedBy = by;
    }
  }

  alive(filter: (thing: Thing) => boolean = () => true): readonly Thing[] {
    return this.things.filter((thing) => thing.endedAt === undefined && filter(thing));
  }

  tag(ids: readonly string[], key: string, value: string | undefined): void {
    for (const thing of this.alive(({ id }) => ids.includes(id))) {
      if (value === undefined) Reflect.deleteProperty(thing.tags, key);
      else thing.tags[key] = value;
    }
  }

  /** A call of a state machine, whose role's policy spares what is protected. */
  byMachine(name: string, parameters: Readonly<Record<string, unknown>>, by: string): unknown {
    this.calls += 1;
    const asked = this.#endpoints(name, parameters);
    if (asked !== undefined) return asked;
    const listing = listKeys[name];
    if (listing !== undefined) return this.#list(listing, parameters["Filters"] as Filter[]);
    const ids = Object.values(parameters)
      .flat()
      .filter((value) => typeof value === "string");
    this.#refuseProtected(ids);
    if (name === "ec2:createTags") {
      const [tag] = parameters["Tags"] as [{ Key: string; Value: string }];
      this.tag(parameters["Resources"] as string[], tag.Key, tag.Value);
    } else for (const id of ids) this.end(id, by);
    return {};
  }

  /** What SageMaker and the tag index answer; undefined where neither is asked. */
  #endpoints(name: string, parameters: Readonly<Record<string, unknown>>): unknown {
    const endpoints = this.alive(({ kind }) => kind === "endpoint");
    if (name === "resourcegroupstaggingapi:getResources") {
      const wanted = parameters["TagFilters"] as TagFilter[];
      const found = endpoints.filter(({ tags }) =>
        wanted.every(({ Key, Values }) =>
          Values === undefined ? Key in tags : Values.includes(tags[Key] ?? ""),
        ),
      );
      return { ResourceTagMappingList: found.map(({ id }) => ({ ResourceARN: `${arn}/${id}` })) };
    }
    if (name === "sagemaker:listEndpoints") {
      const own = endpoints.filter(({ id }) => id.startsWith(String(parameters["NameContains"])));
      return {
        Endpoints: own.map(({ id }) => ({ EndpointName: id, EndpointStatus: "InService" })),
      };
    }
    if (name === "sagemaker:addTags") {
      const id = String(parameters["ResourceArn"]).slice(arn.length + 1);
      const [tag] = parameters["Tags"] as [{ Key: string; Value: string }];
      this.#refuseProtected([id]);
      this.tag([id], tag.Key, tag.Value);
      return {};
    }
    return undefined;
  }

  #refuseProtected(ids: readonly string[]): void {
    const guarded = this.alive(({ id }) => ids.includes(id));
    if (guarded.some(({ tags }) => tags[protectTag] !== "false"))
      throw new AwsError("AccessDenied");
  }

  #list(
    [kind, list, idKey]: readonly [string, string, string],
    filters: readonly Filter[],
  ): unknown {
    const matches = ({ tags, partOf }: Thing): boolean =>
      filters.every(({ Name, Values }) => {
        if (Name === "tag-key") return Values.some((key) => key in tags);
        if (Name.startsWith("tag:")) return Values.includes(tags[Name.slice(4)] ?? "");
        // A volume that is attached is not available.
        return Name !== "status" || partOf === undefined;
      });
    const found = this.alive((thing) => thing.kind === kind && matches(thing)).slice(0, pageSize);
    const items = found.map(({ id }) => ({ [idKey]: id }));
    if (kind === "instance") return { Reservations: items.map((item) => ({ Instances: [item] })) };
    return { [list]: items };
  }
}
