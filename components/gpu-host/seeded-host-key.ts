import * as pulumi from "@pulumi/pulumi";
import { newEd25519Key } from "../ed25519-key.ts";

/**
 * The throw-away host key that cloud-init gives a new host, so that the very first connection can be pinned. It is made once
 * and kept; HostKeyRotation replaces it on the host at first contact, and from then on it opens nothing.
 */
export class SeededHostKey extends pulumi.CustomResource {
  declare readonly privateKey: pulumi.Output<string>;
  declare readonly publicKey: pulumi.Output<string>;

  constructor(name: string, opts?: pulumi.CustomResourceOptions) {
    const candidate = newEd25519Key();
    super(
      "berth:index:HostKey",
      name,
      { privateKey: pulumi.secret(candidate.privateKey), publicKey: candidate.publicKey },
      { ...opts, ignoreChanges: ["privateKey", "publicKey"] },
    );
  }
}
