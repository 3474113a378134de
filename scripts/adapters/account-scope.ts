import { runTag, stackTag } from "../../components/identity.ts";

/** A thing of the account that still carries the stack's name or tag. */
export interface Remnant {
  readonly service: string;
  readonly kind: string;
  readonly id: string;
}

/** Where AWS is asked. */
export interface AccountScope {
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

/** Whether the tags of a thing say that it belongs to a scope. */
export function isTagged(
  tags:
    | readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[]
    | undefined,
  scope: AccountScope,
): boolean {
  const wanted = scopeTag(scope);
  return (tags ?? []).some(({ Key, Value }) => Key === wanted.Key && Value === wanted.Value);
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
