import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** What callers of a model server have to know: made by the first `up`, kept in the state as a secret. */
export class ApiToken extends pulumi.CustomResource {
  declare readonly token: pulumi.Output<string>;

  constructor(name: string, opts?: pulumi.CustomResourceOptions) {
    const candidate = `berth-${randomBytes(24).toString("base64url")}`;
    super(
      "berth:index:ApiToken",
      name,
      { token: pulumi.secret(candidate) },
      { ...opts, ignoreChanges: ["token"] },
    );
  }
}
