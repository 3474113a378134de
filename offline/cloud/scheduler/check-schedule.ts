import { ApiError, type ApiRequest } from "../proxy/api-request.ts";
import { ExpressionError, parseExpression } from "./expression.ts";

/** Actions that a universal target may not have, by how their names begin. */
const readOnly =
  /^(get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate|batchGet|adminGet|adminList|retrieve|isAuthorized)(?=[A-Z]|$)/;

function invalid(message: string): ApiError {
  return new ApiError("ValidationException", message);
}

/** Service and action of `arn:aws:scheduler:::aws-sdk:<service>:<action>`. */
export function universalTarget(arn: string): { service: string; action: string } | undefined {
  const [, service, action] = /^arn:aws[\w-]*:scheduler:::aws-sdk:([\w-]+):(\w+)$/.exec(arn) ?? [];
  return service === undefined || action === undefined ? undefined : { service, action };
}

interface Target {
  readonly Arn?: string;
  readonly RoleArn?: string;
  readonly Input?: string;
}

function checkExpression(expression: string, timeZone: string, now: Date): void {
  try {
    const table = parseExpression(expression, timeZone);
    if (table.kind === "at" && table.next(now, now) === undefined) {
      throw invalid(`Invalid Schedule Expression ${expression}: the time is in the past.`);
    }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw invalid(`Invalid Schedule Expression ${expression}: ${error.message}.`);
  }
}

function checkTarget({ Arn = "", RoleArn = "", Input = "{}" }: Target): void {
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\//.test(RoleArn)) {
    throw invalid(`Provided role ${RoleArn} is not valid.`);
  }
  if (!Arn.includes(":aws-sdk:")) {
    if (/^arn:aws[\w-]*:[\w-]+:[\w-]*:\d{12}:.+/.test(Arn)) return;
    throw invalid(`Provided Arn ${Arn} is not in correct format.`);
  }
  const universal = universalTarget(Arn);
  if (universal === undefined || readOnly.test(universal.action)) {
    throw invalid(`${Arn} is not a supported target.`);
  }
  try {
    JSON.parse(Input);
  } catch {
    throw invalid("Target.Input is not a JSON document.");
  }
}

/**
 * Refuses what EventBridge Scheduler refuses in CreateSchedule and UpdateSchedule and moto takes:
 * bad expressions, a one-time schedule in the past, targets that cannot be.
 */
export function checkSchedule(request: ApiRequest, now: Date): void {
  const given = request.parameters as {
    ScheduleExpression?: string;
    ScheduleExpressionTimezone?: string;
    Target?: Target;
  };
  checkExpression(given.ScheduleExpression ?? "", given.ScheduleExpressionTimezone ?? "UTC", now);
  checkTarget(given.Target ?? {});
}
