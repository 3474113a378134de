import type { LifecycleRule, TransitionStorageClass } from "@aws-sdk/client-s3";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context, type InputsOf } from "../../engine/resource-type.ts";
import { boolean, list, map, number, object, string, type ValuesOf } from "../../engine/schema.ts";
import { awsTags, tagMap } from "../../engine/tags.ts";

const sizes = { objectSizeGreaterThan: number(), objectSizeLessThan: number() };
const ruleFields = {
  id: string({ required: true }),
  status: string({ required: true, oneOf: ["Enabled", "Disabled"] }),
  filter: object({
    prefix: string(),
    ...sizes,
    tag: object({ key: string({ required: true }), value: string({ required: true }) }),
    and: object({ prefix: string(), ...sizes, tags: map() }),
  }),
  expiration: object({ date: string(), days: number(), expiredObjectDeleteMarker: boolean() }),
  transitions: list(
    object({ date: string(), days: number(), storageClass: string({ required: true }) }),
  ),
  noncurrentVersionExpiration: object({
    noncurrentDays: number({ required: true }),
    newerNoncurrentVersions: number(),
  }),
  abortIncompleteMultipartUpload: object({ daysAfterInitiation: number() }),
};
type Rule = ValuesOf<typeof ruleFields>;

const inputs = {
  bucket: string({ required: true, replace: true }),
  rules: list(object(ruleFields), { required: true }),
};

function date(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

function filterOf(filter: Rule["filter"]): LifecycleRule["Filter"] {
  if (filter === undefined) return { Prefix: "" };
  const { and, tag } = filter;
  return {
    Prefix: filter.prefix ?? (Object.keys(filter).length === 0 ? "" : undefined),
    ObjectSizeGreaterThan: filter.objectSizeGreaterThan,
    ObjectSizeLessThan: filter.objectSizeLessThan,
    ...(tag === undefined ? {} : { Tag: { Key: tag.key, Value: tag.value } }),
    ...(and === undefined
      ? {}
      : {
          And: {
            Prefix: and.prefix,
            ObjectSizeGreaterThan: and.objectSizeGreaterThan,
            ObjectSizeLessThan: and.objectSizeLessThan,
            Tags: awsTags(and.tags),
          },
        }),
  };
}

function ruleOf(given: Rule): LifecycleRule {
  const {
    expiration,
    noncurrentVersionExpiration: old,
    abortIncompleteMultipartUpload: cut,
  } = given;
  return {
    ID: given.id,
    Status: given.status as "Enabled",
    Filter: filterOf(given.filter),
    ...(expiration === undefined
      ? {}
      : {
          Expiration: {
            Date: date(expiration.date),
            Days: expiration.days,
            ExpiredObjectDeleteMarker: expiration.expiredObjectDeleteMarker,
          },
        }),
    ...(given.transitions === undefined
      ? {}
      : {
          Transitions: given.transitions.map((one) => ({
            Date: date(one.date),
            Days: one.days,
            StorageClass: one.storageClass as TransitionStorageClass,
          })),
        }),
    ...(old === undefined
      ? {}
      : {
          NoncurrentVersionExpiration: {
            NoncurrentDays: old.noncurrentDays,
            NewerNoncurrentVersions: old.newerNoncurrentVersions,
          },
        }),
    ...(cut === undefined
      ? {}
      : { AbortIncompleteMultipartUpload: { DaysAfterInitiation: cut.daysAfterInitiation } }),
  };
}

function valuesOf(found: LifecycleRule): Rule {
  const { Filter, Expiration, NoncurrentVersionExpiration: old } = found;
  const { And, Tag } = Filter ?? {};
  return {
    id: found.ID,
    status: found.Status,
    filter: {
      prefix: Filter?.Prefix,
      objectSizeGreaterThan: Filter?.ObjectSizeGreaterThan,
      objectSizeLessThan: Filter?.ObjectSizeLessThan,
      tag: Tag === undefined ? undefined : { key: Tag.Key, value: Tag.Value },
      and:
        And === undefined
          ? undefined
          : {
              prefix: And.Prefix,
              objectSizeGreaterThan: And.ObjectSizeGreaterThan,
              objectSizeLessThan: And.ObjectSizeLessThan,
              tags: tagMap(And.Tags),
            },
    },
    expiration:
      Expiration === undefined
        ? undefined
        : {
            date: Expiration.Date?.toISOString(),
            days: Expiration.Days,
            expiredObjectDeleteMarker: Expiration.ExpiredObjectDeleteMarker,
          },
    transitions: found.Transitions?.map((one) => ({
      date: one.Date?.toISOString(),
      days: one.Days,
      storageClass: one.StorageClass,
    })),
    noncurrentVersionExpiration:
      old === undefined
        ? undefined
        : {
            noncurrentDays: old.NoncurrentDays,
            newerNoncurrentVersions: old.NewerNoncurrentVersions,
          },
    abortIncompleteMultipartUpload:
      found.AbortIncompleteMultipartUpload === undefined
        ? undefined
        : { daysAfterInitiation: found.AbortIncompleteMultipartUpload.DaysAfterInitiation },
  };
}

async function put(context: Context, id: string, { rules = [] }: InputsOf<typeof inputs>) {
  const s3 = await context.clients.s3();
  await s3.putBucketLifecycleConfiguration({
    Bucket: id,
    LifecycleConfiguration: { Rules: rules.map(ruleOf) },
  });
}

/** What becomes of a bucket's objects with time. */
export const bucketLifecycleConfiguration = resourceType({
  token: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  inputs,
  outputs: ["transitionDefaultMinimumObjectSize"],
  create: async (context, given) => {
    const id = given.bucket ?? "";
    await put(context, id, given);
    return { id };
  },
  read: async (context, id) => {
    const s3 = await context.clients.s3();
    const found = await unlessGone(s3.getBucketLifecycleConfiguration({ Bucket: id }));
    if (found?.Rules === undefined) return undefined;
    return {
      bucket: id,
      rules: found.Rules.map(valuesOf),
      transitionDefaultMinimumObjectSize:
        found.TransitionDefaultMinimumObjectSize ?? "all_storage_classes_128K",
    };
  },
  update: (context, id, { news }) => put(context, id, news),
  delete: async (context, id) => {
    const s3 = await context.clients.s3();
    await unlessGone(s3.deleteBucketLifecycle({ Bucket: id }));
  },
});
