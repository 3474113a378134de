import { ApiError, type ApiRequest } from "../proxy/api-request.ts";

/** One line of the emulated account's bill. */
export interface BillLine {
  /** `2026-11-24`. */
  readonly day: string;
  readonly region: string;
  /** As far as they are activated for cost allocation. */
  readonly tags: Readonly<Record<string, string>>;
  readonly usd: number;
  /** `Usage`, `Credit`, `Tax`, ... */
  readonly recordType?: string | undefined;
  /** Whether it may still change. */
  readonly estimated?: boolean | undefined;
}

/** A filter of Cost Explorer, as far as this one understands it. */
export interface Expression {
  readonly And?: readonly Expression[];
  readonly Not?: Expression;
  readonly Dimensions?: { readonly Key: string; readonly Values: readonly string[] };
  readonly Tags?: {
    readonly Key: string;
    readonly Values?: readonly string[];
    readonly MatchOptions?: readonly string[];
  };
}

/** Whether a line of the bill is one that a filter asks for. */
export function matches(line: BillLine, filter: Expression | undefined): boolean {
  if (filter === undefined) return true;
  const { And, Not, Dimensions, Tags } = filter;
  if (And !== undefined) return And.every((each) => matches(line, each));
  if (Not !== undefined) return !matches(line, Not);
  if (Tags !== undefined) {
    const value = line.tags[Tags.Key];
    if (Tags.MatchOptions?.includes("ABSENT") === true) return value === undefined;
    return value !== undefined && (Tags.Values ?? []).includes(value);
  }
  const { recordType = "Usage", region } = line;
  const values: Readonly<Record<string, string>> = { REGION: region, RECORD_TYPE: recordType };
  const value = values[Dimensions?.Key ?? ""];
  if (value === undefined) throw invalid(`the filter ${JSON.stringify(filter)} is not emulated`);
  return Dimensions?.Values.includes(value) === true;
}

function invalid(message: string): ApiError {
  return new ApiError("ValidationException", message);
}

interface Asked {
  readonly TimePeriod?: { readonly Start: string; readonly End: string };
  readonly Granularity?: string;
  readonly GroupBy?: readonly { readonly Type: string; readonly Key: string }[];
  readonly Filter?: Expression;
}

function groupsOf(lines: readonly BillLine[], key: string): object[] {
  const sums = new Map<string, number>();
  for (const { tags, usd } of lines) {
    const name = `${key}$${tags[key] ?? ""}`;
    sums.set(name, (sums.get(name) ?? 0) + usd);
  }
  return [...sums].map(([name, usd]) => ({
    Keys: [name],
    Metrics: { UnblendedCost: { Amount: String(usd), Unit: "USD" } },
  }));
}

/** GetCostAndUsage by day and one tag, of a bill that is told; moto keeps none. */
export function serveBill(call: ApiRequest, bill: readonly BillLine[]): object | undefined {
  if (call.service !== "ce" || call.operation !== "GetCostAndUsage") return undefined;
  const { TimePeriod, Granularity, GroupBy = [], Filter } = call.parameters as Asked;
  const [group] = GroupBy;
  if (TimePeriod === undefined || TimePeriod.Start >= TimePeriod.End) {
    throw invalid("Start date (and hour) should be before end date (and hour)");
  }
  if (Granularity !== "DAILY" || group?.Type !== "TAG" || GroupBy.length !== 1) {
    throw invalid("only days, grouped by one tag, are emulated");
  }
  const days: object[] = [];
  const until = Date.parse(TimePeriod.End);
  for (let at = Date.parse(TimePeriod.Start); at < until; at += 86_400_000) {
    const [day, next] = [at, at + 86_400_000].map((time) =>
      new Date(time).toISOString().slice(0, 10),
    );
    const lines = bill.filter((line) => line.day === day && matches(line, Filter));
    days.push({
      TimePeriod: { Start: day, End: next },
      Total: {},
      Groups: groupsOf(lines, group.Key),
      Estimated: lines.some(({ estimated }) => estimated === true),
    });
  }
  return { ResultsByTime: days, GroupDefinitions: GroupBy, DimensionValueAttributes: [] };
}
