import * as pulumi from "@pulumi/pulumi";
import { ApiToken } from "../components/model-server/api-token.ts";
import type { HostSettings } from "./settings.ts";

type Secret = HostSettings["apiToken"];

/** A secret's text; the program sees secrets of the configuration as they are. */
function textOf(secret: Secret): string | undefined {
  if (secret === undefined || typeof secret === "string") return secret;
  throw new Error("a secret of the configuration reached the program encrypted");
}

/** The token of a stack's server: the one that was given, else one that is made and kept. */
export function serverToken(name: string, apiToken: Secret): pulumi.Output<string> {
  const given = textOf(apiToken);
  return given === undefined ? new ApiToken(name).token : pulumi.secret(given);
}

/** How a host's server is reached. */
export function serverAccess(settings: HostSettings) {
  const { serveCidr, tls, tlsCertificate } = settings;
  const open = serveCidr !== undefined;
  const key = textOf(settings.tlsKey);
  if (tlsCertificate !== undefined && key !== undefined) {
    return { open, tls: pulumi.secret({ certificate: tlsCertificate, key }) };
  }
  return { open, tls: tls === "own" || open ? ("own" as const) : undefined };
}
