import { z } from "zod";
import { echo } from "./echo.ts";

/** `berth:index:HostKey`: the SSH host key that a machine is seeded with, made once and kept in the state. */
export const hostKey = echo("host-key", {
  inputs: z.object({
    privateKey: z.string().min(1, "must be a private key in OpenSSH's form"),
    publicKey: z.string().regex(/^ssh-\S+ \S+/, "must be an OpenSSH public key line"),
  }),
  secrets: ["privateKey"],
});
