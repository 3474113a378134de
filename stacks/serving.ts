import * as pulumi from "@pulumi/pulumi";
import { ApiToken } from "../components/model-server/api-token.ts";
import { UserError } from "../components/user-error.ts";
import type { HostSettings, Settings } from "./settings.ts";

type Secret = HostSettings["apiToken"];

/**
 * Holds a server that would be open without TLS, or whose certificate has no key.
 *
 * @throws UserError with every problem
 */
export function checkServing(settings: Settings): void {
  if (settings.target !== "ec2") return;
  const { serveCidr, tls, tlsCertificate, tlsKey } = settings;
  const problems = [
    ...(serveCidr !== undefined && tls === "off"
      ? [
          "berth:tls: off, and berth:serveCidr lets others in: their token would travel in the clear",
        ]
      : []),
    ...((tlsCertificate === undefined) === (tlsKey === undefined)
      ? []
      : ["berth:tlsCertificate and berth:tlsKey: give both, or neither"]),
    ...(tls !== undefined && tlsCertificate !== undefined
      ? [`berth:tls: ${tls}, and berth:tlsCertificate is given: leave one out`]
      : []),
  ];
  if (problems.length === 0) return;
  throw new UserError("The model server cannot be reached as asked.", {
    problems,
    hint: "docs/security.md says what each of them does.",
  });
}

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
