import { failureModes } from "./failures.ts";
import type { FailureMode } from "./failures/failure-mode.ts";

const actions: Readonly<Record<FailureMode["action"], string>> = {
  "next-way": "The next way to the same end is tried, then it is told.",
  reboot: "The host is rebooted, once.",
  stop: "It is told, and the host stays as it is.",
};

function section(mode: FailureMode): string {
  const { code, title, signal, shownBy, cause, done, remedy, action, evidence } = mode;
  const shown = signal === undefined ? (shownBy ?? "") : `\`${signal.source}\` in a step's log`;
  return [
    `## ${code}`,
    "",
    `${title}.`,
    "",
    `- Shown by: ${shown}`,
    `- Cause: ${cause}`,
    `- What berth does: ${done} ${actions[action]}`,
    `- What to do: ${remedy}`,
    `- Seen: ${evidence}`,
    "",
  ].join("\n");
}

/** The text of docs/troubleshooting.md, made from the table of failures. */
export function troubleshootingPage(): string {
  const head = [
    "# When a host cannot be made ready",
    "",
    "Each failure of a bootstrap has a code, which the error names. A step's whole log stays on the host, in",
    "`<data folder>/steps/<step>-*/log`. Running the same command again goes on from where it stopped.",
    "This page is made from `components/bootstrap/failures.ts` by `node --import tsx scripts/generate/write-troubleshooting.ts`.",
    "",
  ];
  const known = failureModes.toSorted((a, b) => a.code.localeCompare(b.code, "en"));
  return `${head.join("\n")}\n${known.map(section).join("\n")}`;
}
