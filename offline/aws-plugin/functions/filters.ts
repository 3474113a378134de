import type { Filter } from "@aws-sdk/client-ec2";
import { list, object, string } from "../engine/schema.ts";

/** The `filters` of EC2's functions. */
export const filters = list(
  object({ name: string({ required: true }), values: list(string(), { required: true }) }),
);

interface GivenFilter {
  readonly name?: string | undefined;
  readonly values?: string[] | undefined;
}

/** Filters as EC2 takes them: those given, those of tags, and single values by filter name. */
export function ec2Filters(
  given: readonly GivenFilter[] | undefined,
  tags: Readonly<Record<string, string>> = {},
  single: Readonly<Record<string, string | undefined>> = {},
): { Filters?: Filter[] } {
  const own = (given ?? []).map(({ name, values }) => ({ Name: name, Values: values }));
  const byTag = Object.entries(tags).map(([key, value]) => ({
    Name: `tag:${key}`,
    Values: [value],
  }));
  const byValue = Object.entries(single).flatMap(([Name, value]) =>
    value === undefined ? [] : [{ Name, Values: [value] }],
  );
  const Filters = [...own, ...byTag, ...byValue];
  // EC2 refuses an empty list.
  return Filters.length === 0 ? {} : { Filters };
}
