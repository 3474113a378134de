/** What is paid by the hour of its being there. */
export type UsageKind =
  | "instance"
  | "volume"
  | "address"
  | "endpoint"
  | "training-job"
  | "notebook"
  | "bucket"
  | "egress";

/** A price from a moment on. */
export interface PricePoint {
  /** RFC 3339; the first point of a list counts from the beginning. */
  readonly from: string;
  /** USD an hour for one unit: a whole instance, or one GiB. */
  readonly hourlyUsd: number;
}

/** Time from its start to its end; without an end it goes on. */
export interface Interval {
  readonly from: string;
  readonly to?: string | undefined;
}

/** Units over a stretch of time, as they were counted; without an end they go on. */
export interface Measurement extends Interval {
  readonly units: number;
}

/** One thing that was paid for: recorded at its launch, with the price of then, and closed at its end. */
export interface Usage {
  readonly kind: UsageKind;
  readonly resourceId: string;
  /** Where it is another than the run's. @default the run's */
  readonly model?: string | undefined;
  /** `g6.xlarge`, `gp3`. */
  readonly type: string;
  /** Instances, or GiB; of what is measured, as it was last seen. */
  readonly units: number;
  /** What there was of it, where that changed; between these there was none. @default `units`, all the time */
  readonly measured?: readonly Measurement[] | undefined;
  readonly span: Interval;
  /** Variants of an endpoint, by which its requests are counted. @default none */
  readonly variants?: readonly string[] | undefined;
  /** On demand it is the one price of the launch; on spot, the history of the pool. In order of time, never empty. */
  readonly prices: readonly [PricePoint, ...PricePoint[]];
  /** When an instance was stopped: it is not paid then, its volumes are. @default never */
  readonly stopped?: readonly Interval[] | undefined;
}

/** Paid once, by amount: requests, bytes that left. */
export interface Charge {
  readonly kind: UsageKind;
  readonly at: string;
  readonly what: string;
  readonly usd: number;
}

/** All that is known of one deployment's cost. */
export interface RunRecord {
  readonly runId: string;
  readonly stack: string;
  readonly env: string;
  readonly owner: string;
  readonly model: string;
  readonly region: string;
  readonly usages: readonly Usage[];
  readonly charges: readonly Charge[];
}
