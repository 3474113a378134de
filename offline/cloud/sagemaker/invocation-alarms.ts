import type { Clock } from "../clock.ts";
import type { Moto } from "../moto/moto.ts";

/** An alarm of CloudWatch, by `endpoints.py`. */
interface Alarm {
  readonly name: string;
  readonly state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
  readonly metric: string | null;
  /** Of the alarm's dimensions. */
  readonly endpoint: string | null;
  readonly variant: string | null;
  readonly statistic: string | null;
  readonly periodSeconds: number | null;
  /** Periods that have to be over the line. */
  readonly datapoints: number;
  readonly threshold: number | null;
  readonly operator: string;
}

/** What a container of a variant answered with. */
export interface Answered {
  readonly variant: string;
  readonly status: number;
}

interface Recorded extends Answered {
  readonly region: string;
  readonly name: string;
  /** Cloud time, milliseconds. */
  readonly at: number;
}

const classes: Readonly<Record<string, number>> = {
  Invocation4XXErrors: 4,
  Invocation5XXErrors: 5,
};

function isOver(value: number, { operator, threshold }: Alarm): boolean {
  if (threshold === null) return false;
  return operator === "GreaterThanThreshold" ? value > threshold : value >= threshold;
}

/**
 * What containers answered, and the alarms that look at it. moto keeps alarms and never looks at a metric; an endpoint's
 * alarms on errors are looked at here, while an update watches them. Any other alarm is in the state that SetAlarmState gave it.
 */
export class InvocationAlarms {
  readonly #moto: Moto;
  readonly #clock: Clock;
  #answered: Recorded[] = [];

  constructor(moto: Moto, clock: Clock) {
    this.#moto = moto;
    this.#clock = clock;
  }

  record(region: string, name: string, answered: Answered): void {
    const at = this.#clock.now().getTime();
    this.#answered = [...this.#answered.slice(-9999), { region, name, ...answered, at }];
  }

  /** Of the alarms that are named, those in ALARM, or that what was answered since then puts there. */
  async raised(region: string, names: readonly string[], since: number): Promise<string[]> {
    if (names.length === 0) return [];
    const alarms = await this.#moto.ask<Alarm[]>("alarms", { region, names });
    const raised: string[] = [];
    for (const alarm of alarms) {
      if (alarm.state !== "ALARM" && !this.#isOver(region, alarm, since)) continue;
      raised.push(alarm.name);
      if (alarm.state !== "ALARM") await this.#moto.ask("alarm", { region, name: alarm.name });
    }
    return raised;
  }

  #isOver(region: string, alarm: Alarm, since: number): boolean {
    const kind = classes[alarm.metric ?? ""];
    if (kind === undefined || alarm.periodSeconds === null) return false;
    const periods = new Map<number, boolean[]>();
    for (const { region: of, name, variant, status, at } of this.#answered) {
      if (of !== region || name !== alarm.endpoint || at < since) continue;
      if (alarm.variant !== null && variant !== alarm.variant) continue;
      const period = Math.floor(at / (alarm.periodSeconds * 1000));
      const failed = Math.floor(status / 100) === kind;
      periods.set(period, [...(periods.get(period) ?? []), failed]);
    }
    const over = [...periods.values()].filter((answers) => {
      const failed = answers.filter(Boolean).length;
      return isOver(alarm.statistic === "Sum" ? failed : failed / answers.length, alarm);
    });
    return over.length >= alarm.datapoints;
  }
}
