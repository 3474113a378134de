import { runTag, stackTag } from "../../components/identity.ts";

/** A thing of the account that still carries the stack's name or tag. */
export interface Remnant {
  readonly service: string;
  readonly kind: string;
  readonly id: string;
  /** Where it is, when that is not the region that was asked. */
  readonly region?: string | undefined;
}

/** The same with its tags. */
export interface TaggedRemnant extends Remnant {
  readonly tags: Readonly<Record<string, string>>;
}

/** Where AWS is asked. */
export interface AccountScope {
  /** Empty means every stack. */
  readonly stack: string;
  /** Of the deployment that was taken down; without it, all that carries the stack's name counts. */
  readonly runId?: string | undefined;
  readonly region: string;
  /** An endpoint and credentials of an emulated cloud; undefined means the account of the environment. */
  readonly client: ClientSettings;
}

/** The tag by which the account is asked for what belongs to a scope. */
export function scopeTag({ stack, runId }: AccountScope): {
  readonly Key: string;
  readonly Value: string;
} {
  return runId === undefined ? { Key: stackTag, Value: stack } : { Key: runTag, Value: runId };
}

interface Tag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/** Whether the tags of a thing say that it belongs to a scope. */
export function isTagged(tags: readonly Tag[] | undefined, scope: AccountScope): boolean {
  const wanted = scopeTag(scope);
  return (tags ?? []).some(
    ({ Key, Value }) => Key === wanted.Key && (wanted.Value === "" || Value === wanted.Value),
  );
}

/** EC2's filter for what belongs to a scope. */
export function tagFilter(scope: AccountScope): { Name: string; Values: string[] } {
  const { Key, Value } = scopeTag(scope);
  return Value === ""
    ? { Name: "tag-key", Values: [Key] }
    : { Name: `tag:${Key}`, Values: [Value] };
}

/** Tags by key. */
export function tagMap(tags: readonly Tag[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** What every AWS client is made with. */
export interface ClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** One question put to the account. */
export interface Question {
  readonly name: string;
  readonly ask: (scope: AccountScope) => Promise<readonly Remnant[]>;
}
