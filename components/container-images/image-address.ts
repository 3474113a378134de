/** Parts of an ECR image's address. */
export interface ImageAddress {
  readonly account: string;
  readonly region: string;
  readonly repository: string;
}

/** The address of an image in ECR by its tag. */
export function taggedAddress({ account, region, repository }: ImageAddress, tag: string): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com/${repository}:${tag}`;
}

/** `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>` or `@sha256:<digest>`; undefined for any other address. */
export function parseImageAddress(uri: string): ImageAddress | undefined {
  const pattern =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([a-z0-9._/-]+)(:[\w.-]{1,128}|@sha256:[0-9a-f]{64})$/;
  const [, account, region, repository] = pattern.exec(uri) ?? [];
  return account === undefined || region === undefined || repository === undefined
    ? undefined
    : { account, region, repository };
}

/** What stands before the tag of an address, and the tag. */
export function splitTag(tagged: string): { readonly name: string; readonly tag: string } {
  const colon = tagged.lastIndexOf(":");
  return { name: tagged.slice(0, colon), tag: tagged.slice(colon + 1) };
}
