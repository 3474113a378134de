import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallLog } from "../call-log.ts";
import type { Clock } from "../clock.ts";
import type { Moto } from "../moto/moto.ts";
import { universalTarget } from "./check-schedule.ts";
import { parseExpression } from "./expression.ts";

/** A schedule as moto keeps it. */
interface Schedule {
  readonly region: string;
  readonly arn: string;
  readonly name: string;
  readonly group: string;
  readonly expression: string;
  readonly timezone: string;
  readonly state: string;
  readonly target: {
    readonly Arn: string;
    readonly Input?: string;
    readonly RetryPolicy?: { readonly MaximumRetryAttempts?: number };
    readonly DeadLetterConfig?: { readonly Arn?: string };
  };
  readonly after: string;
  readonly modified: string;
  /** Seconds since 1970; 0 where there is no bound. */
  readonly start: number;
  readonly end: number;
}

interface SdkAnswer {
  readonly result?: Readonly<Record<string, string>>;
  readonly failure?: string;
  readonly message?: string;
  readonly status?: number;
}

interface Due {
  readonly schedule: Schedule;
  readonly time: Date;
  readonly last: boolean;
}

/** The real service tries for up to a day; here attempts follow each other at once. */
const mostAttempts = 5;
const mostFirings = 1000;
/** Of an execution that a schedule started, a tenth of a second apart. */
const mostPolls = 1200;

/** EventBridge Scheduler's schedules, firing on the cloud's clock. */
export class Schedules {
  readonly #moto: Moto;
  readonly #clock: Clock;
  readonly #log: CallLog;
  /** By ARN and version: from when on a schedule is due. */
  readonly #seen = new Map<string, { origin: Date; from: Date }>();
  #known: readonly Schedule[] = [];
  /** Cloud time of the first change since the last refresh. */
  #staleSince: Date | undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  constructor(moto: Moto, clock: Clock, log: CallLog) {
    this.#moto = moto;
    this.#clock = clock;
    this.#log = log;
    this.#timer = setInterval(() => {
      if (this.#known.length > 0 || this.#staleSince !== undefined)
        void this.fireUntil(this.#clock.now()).catch(() => undefined);
    }, 1000);
    this.#timer.unref();
  }

  /** To be told of every change of a schedule or group. */
  changed(): void {
    this.#staleSince ??= this.#clock.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Fires all that is due until `end`, in order, each at its own time on the clock. */
  fireUntil(end: Date): Promise<void> {
    const work = this.#work.then(async () => {
      for (let count = 0; count < mostFirings; count += 1) {
        await this.#refresh();
        const due = this.#nextDue(end);
        if (due === undefined) return;
        this.#clock.moveTo(due.time);
        await this.#fire(due);
      }
      throw new Error(`more than ${mostFirings} firings in one step of the clock`);
    });
    this.#work = work.catch(() => undefined);
    return work;
  }

  async #refresh(): Promise<void> {
    if (this.#staleSince === undefined) return;
    const now = this.#staleSince;
    this.#staleSince = undefined;
    this.#known = await this.#moto.ask<Schedule[]>("schedules");
    const keys = new Set(this.#known.map(versionOf));
    for (const key of this.#seen.keys()) if (!keys.has(key)) this.#seen.delete(key);
    for (const key of keys)
      if (!this.#seen.has(key)) this.#seen.set(key, { origin: now, from: now });
  }

  #nextDue(end: Date): Due | undefined {
    let earliest: Due | undefined;
    for (const schedule of this.#known) {
      const seen = this.#seen.get(versionOf(schedule));
      if (seen === undefined || schedule.state !== "ENABLED") continue;
      const table = parseExpression(schedule.expression, schedule.timezone);
      const start = new Date(Math.max(seen.from.getTime(), schedule.start * 1000 - 1));
      // The start date is a rate's first time: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
      const origin = schedule.start > 0 ? new Date(schedule.start * 1000) : seen.origin;
      const time = table.next(start, origin);
      if (schedule.end > 0 && time !== undefined && time.getTime() > schedule.end * 1000) continue;
      if (time === undefined || time > end || (earliest !== undefined && time >= earliest.time))
        continue;
      earliest = { schedule, time, last: table.next(time, origin) === undefined };
    }
    return earliest;
  }

  async #fire({ schedule, time, last }: Due): Promise<void> {
    const key = versionOf(schedule);
    const seen = this.#seen.get(key);
    if (seen !== undefined) this.#seen.set(key, { ...seen, from: time });
    const started = Date.now();
    const attempts = Math.min(
      mostAttempts,
      1 + (schedule.target.RetryPolicy?.MaximumRetryAttempts ?? 185),
    );
    let answer: SdkAnswer = {};
    let made = 0;
    while (made < attempts) {
      made += 1;
      answer = await this.#call(schedule, time);
      const permanent =
        (answer.status ?? 0) < 500 &&
        !/Throttl|RequestLimit|TooManyRequests/.test(answer.failure ?? "");
      if (answer.failure === undefined || permanent) break;
      await sleep(50 * made);
    }
    this.#log.add({
      at: this.#clock.now().toISOString(),
      service: "scheduler",
      operation: "FireSchedule",
      region: schedule.region,
      parameters: {
        Name: schedule.name,
        GroupName: schedule.group,
        Target: schedule.target.Arn,
        Input: schedule.target.Input,
        Attempts: made,
        ...(answer.message === undefined ? {} : { Message: answer.message }),
      },
      status: answer.failure === undefined ? 200 : (answer.status ?? 400),
      ...(answer.failure === undefined ? {} : { error: answer.failure }),
      caller: "scheduler",
      milliseconds: Date.now() - started,
    });
    await this.#finish(schedule, answer, last);
  }

  async #finish(schedule: Schedule, answer: SdkAnswer, last: boolean): Promise<void> {
    const { region } = schedule;
    const queue = schedule.target.DeadLetterConfig?.Arn;
    if (answer.failure !== undefined && queue !== undefined) {
      const name = queue.slice(queue.lastIndexOf(":") + 1);
      const found = await this.#sdk("sqs", "getQueueUrl", region, { QueueName: name });
      const input = {
        QueueUrl: found.result?.["QueueUrl"],
        MessageBody: schedule.target.Input ?? "{}",
      };
      await this.#sdk("sqs", "sendMessage", region, input);
    }
    if (last && schedule.after === "DELETE") {
      await this.#sdk("scheduler", "deleteSchedule", region, {
        Name: schedule.name,
        GroupName: schedule.group,
      });
      this.changed();
    }
  }

  /** A call that the real service makes unseen, and so stays out of the log. */
  #sdk(
    service: string,
    action: string,
    region: string,
    input: object,
    caller = "cloud",
  ): Promise<SdkAnswer> {
    return this.#moto.ask<SdkAnswer>("sdk", { service, action, region, input, caller });
  }

  async #call(schedule: Schedule, time: Date): Promise<SdkAnswer> {
    const { Arn, Input } = schedule.target;
    const text = (Input ?? "{}")
      .replaceAll("<aws.scheduler.schedule-arn>", schedule.arn)
      .replaceAll("<aws.scheduler.scheduled-time>", `${time.toISOString().slice(0, 19)}Z`)
      .replaceAll("<aws.scheduler.attempt-number>", "1");
    const universal = universalTarget(Arn);
    if (universal !== undefined) {
      return this.#sdk(
        universal.service,
        universal.action,
        schedule.region,
        JSON.parse(text) as object,
        "scheduler",
      );
    }
    if (Arn.includes(":states:")) {
      // Each firing is an execution of its own; moto names every nameless one alike.
      const input = { stateMachineArn: Arn, name: randomUUID(), input: text };
      const answer = await this.#sdk(
        "stepfunctions",
        "startExecution",
        schedule.region,
        input,
        "scheduler",
      );
      const execution = answer.result?.["executionArn"];
      if (execution !== undefined) await this.#untilDone(execution, schedule.region);
      return answer;
    }
    return {
      failure: "UnsupportedTarget",
      message: `The emulation does not call ${Arn}.`,
      status: 400,
    };
  }

  /** Waits until an execution is over, so that what it did is visible when the clock has moved. */
  async #untilDone(executionArn: string, region: string): Promise<void> {
    for (let round = 0; round < mostPolls; round += 1) {
      const answer = await this.#sdk("stepfunctions", "describeExecution", region, {
        executionArn,
      });
      if (answer.result?.["status"] !== "RUNNING") return;
      await sleep(100);
    }
  }
}

function versionOf(schedule: Schedule): string {
  return `${schedule.arn} ${schedule.modified}`;
}
