/** The type of the one resource at the root of every stack. */
export const stackType = "pulumi:pulumi:Stack";
const providerPrefix = "pulumi:providers:";

/** What a URN is made of: `urn:pulumi:<stack>::<project>::<parent types$type>::<name>`. */
export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** Types of the ancestors and its own, joined by `$`. */
  readonly qualifiedType: string;
  readonly name: string;
}

/** The parts of a URN. Throws when it is not one. */
export function parseUrn(urn: string): UrnParts {
  const [head, project, qualifiedType, ...name] = urn.split("::");
  const prefix = "urn:pulumi:";
  if (
    head === undefined ||
    !head.startsWith(prefix) ||
    project === undefined ||
    qualifiedType === undefined
  ) {
    throw new Error(`"${urn}" is not a URN`);
  }
  if (name.length === 0) throw new Error(`"${urn}" is a URN without a name`);
  return { stack: head.slice(prefix.length), project, qualifiedType, name: name.join("::") };
}

/** A URN from its parts. */
export function buildUrn(parts: UrnParts): string {
  return `urn:pulumi:${parts.stack}::${parts.project}::${parts.qualifiedType}::${parts.name}`;
}

/** The URN of a child: its type is chained to its parent's, except below the stack itself. */
export function childUrn(
  where: { readonly stack: string; readonly project: string },
  parent: string | undefined,
  type: string,
  name: string,
): string {
  const parentType =
    parent === undefined || parent === "" ? stackType : parseUrn(parent).qualifiedType;
  const qualifiedType = parentType === stackType ? type : `${parentType}$${type}`;
  return buildUrn({ stack: where.stack, project: where.project, qualifiedType, name });
}

/** The resource's own type of a URN. */
export function urnType(urn: string): string {
  const { qualifiedType } = parseUrn(urn);
  return qualifiedType.slice(qualifiedType.lastIndexOf("$") + 1);
}

/** The name of a URN. */
export function urnName(urn: string): string {
  return parseUrn(urn).name;
}

/** Whether a type is that of a provider. */
export function isProviderType(type: string): boolean {
  return type.startsWith(providerPrefix);
}

/** The type of the provider of a package. */
export function providerType(packageName: string): string {
  return providerPrefix + packageName;
}

/** The package that a provider's type names. */
export function providerPackage(type: string): string {
  return type.slice(providerPrefix.length);
}

/** The package that a resource's or function's token names. */
export function tokenPackage(token: string): string {
  const at = token.indexOf(":");
  if (at < 1) throw new Error(`"${token}" does not name a package; expected package:module:name`);
  return token.slice(0, at);
}

/** A reference to a provider: which one (URN) and which incarnation of it (id). */
export interface ProviderReference {
  readonly urn: string;
  readonly id: string;
}

/** Reads `<urn>::<id>`. */
export function parseReference(reference: string): ProviderReference {
  const at = reference.lastIndexOf("::");
  if (at < 0) throw new Error(`"${reference}" is not a provider reference`);
  return { urn: reference.slice(0, at), id: reference.slice(at + 2) };
}

/** Writes `<urn>::<id>`. */
export function formatReference(reference: ProviderReference): string {
  return `${reference.urn}::${reference.id}`;
}

/** Whether a URN is that of a provider that the engine made, not the program. */
export function isDefaultProvider(urn: string): boolean {
  const { qualifiedType, name } = parseUrn(urn);
  return isProviderType(qualifiedType) && /^default($|_)/.test(name);
}

/** The name of a package's default provider: `default`, or `default_7_48_0` for a version. */
export function defaultProviderName(version: string): string {
  return version === "" ? "default" : `default_${version.replace(/[^A-Za-z0-9_-]/g, "_")}`;
}

/** Whether a URN matches one pattern of `--target`: `*` stands within a part between colons, `**` across them. */
export function matchesUrn(pattern: string, urn: string): boolean {
  const escaped = pattern
    .split("**")
    .map((part) => part.split("*").map(escapeRegExp).join("[^:]*"))
    .join(".*");
  return new RegExp(`^${escaped}$`).test(urn);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}
