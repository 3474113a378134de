import { existsSync } from "node:fs";
import { OfflineError } from "../../offline-error.ts";
import type { MachineTier } from "./machine.ts";

/** A tier as asked for: one by name, the best that this host allows, or no machines at all. */
export type TierChoice = "auto" | "nspawn" | "process" | "none";

const names = ["nspawn", "process"] as const;

function isTier(value: unknown): value is MachineTier {
  return typeof value === "object" && value !== null && "prepare" in value && "available" in value;
}

/** The tier of a file beside this one, loaded only when it is wanted. */
async function load(name: (typeof names)[number]): Promise<MachineTier | undefined> {
  const file = new URL(`./${name}.ts`, import.meta.url);
  if (!existsSync(file)) return undefined;
  const exported = (await import(file.href)) as Record<string, unknown>;
  const tier = Object.values(exported).find(isTier);
  if (tier === undefined) throw new Error(`${file.href} exports no machine tier`);
  return tier;
}

/**
 * The tier to use, not yet prepared; none for `"none"`.
 * @throws {OfflineError} when a tier that was asked for by name is not available, with the reason.
 */
export async function chooseTier(choice: TierChoice): Promise<MachineTier | undefined> {
  if (choice === "none") return undefined;
  const reasons: string[] = [];
  for (const name of choice === "auto" ? names : [choice]) {
    const tier = await load(name);
    const { ok, why } = (await tier?.available()) ?? { ok: false, why: "not part of this copy" };
    if (tier !== undefined && ok) return tier;
    reasons.push(`${name}: ${why}`);
  }
  throw new OfflineError(
    `This host does not allow machines: ${reasons.join("; ")}.`,
    "Use the tier process, which needs no rights, or none.",
  );
}
