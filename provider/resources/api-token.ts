import { z } from "zod";
import { echo } from "./echo.ts";

/** `berth:index:ApiToken`: what callers of the model server have to know, made once and kept in the state as a secret. */
export const apiToken = echo("api-token", {
  inputs: z.object({ token: z.string().min(16, "must be 16 characters or more") }),
  secrets: ["token"],
});
