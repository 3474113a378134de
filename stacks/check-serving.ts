import { UserError } from "../components/user-error.ts";
import type { Settings } from "./settings.ts";

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
