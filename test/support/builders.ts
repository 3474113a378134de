import { loadCatalogue } from "../../components/catalogue/load.ts";
import type { Plan } from "../../components/plan.ts";
import { makePlan, type PlanRequest } from "../../components/sizing/make-plan.ts";
import type { RawSettings } from "../../stacks/settings.ts";

/** A configuration with nothing wrong in it. */
export const goodConfig: RawSettings["config"] = {
  "aws:region": "us-east-1",
  "berth:model": "qwen2.5-7b",
  "berth:owner": "alice@example.org",
  "berth:sshCidr": "203.0.113.7/32",
  "berth:sshPublicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ alice",
  "berth:weightsBucket": "models",
};

/** The plan of a small model, with what a test wants different. */
export function somePlan(change: Partial<PlanRequest> = {}): Plan {
  const request = {
    model: "qwen2.5-7b",
    env: "dev",
    region: "us-east-1",
    spot: true,
    leaseHours: 4,
  };
  return makePlan({ ...request, ...change }, loadCatalogue());
}

/** Tags as a deployment has them. */
export const someTags = { "berth:stack": "dev", "berth:owner": "alice" } as const;
