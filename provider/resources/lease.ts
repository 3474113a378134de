import { z } from "zod";
import { echo } from "./echo.ts";

const instant = z.iso.datetime({
  offset: true,
  error: "must be a time such as 2026-11-24T03:00:00Z",
});

/** `berth:index:Lease`: when the deployment began, when it ends ("" for never), whose it is, what tells it from all others, and where it stands. */
export const lease = echo("lease", {
  inputs: z.object({
    startedAt: instant,
    expiresAt: z.union([z.literal(""), instant]),
    runId: z.string().regex(/^[0-9a-f]{12}$/, "must be twelve hexadecimal digits"),
    owner: z.string().min(1, "must name who pays for the host"),
    region: z.string().optional(),
  }),
});
