import { z } from "zod";
import { hostKeyLine, parseHostAddress } from "../components/host-address.ts";
import { parseOwnGpus } from "../components/own-machine/card.ts";
import { UserError } from "../components/user-error.ts";
import { flag, text } from "./setting-values.ts";
import { berthSchema } from "./settings-schema.ts";

const ownGpus = text.superRefine((value, context) => {
  if (value === "none") return;
  try {
    parseOwnGpus(value);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const message = error.problems.map((problem) => problem.replace(/^--gpus: /, "")).join("; ");
    context.addIssue({ code: "custom", message });
  }
});

/** What a machine that is there already is asked too: it has no price, no end and no account. */
const anyTarget = {
  env: true,
  model: true,
  owner: true,
  protect: true,
  serverPort: true,
  context: true,
  concurrency: true,
  precision: true,
  engine: true,
  kvCacheDtype: true,
  temperature: true,
  topP: true,
  promptTemplate: true,
  keepOldEngine: true,
  apiToken: true,
  weightsBucket: true,
  weightsPrefix: true,
  weightsInclude: true,
  weightsExclude: true,
  weightsRegion: true,
  weightsRequesterPays: true,
  acceptLicence: true,
} as const;

/** What the keys may be when the target is a machine that is there already. */
export const existingHostSchema = berthSchema
  .pick(anyTarget)
  .extend({
    target: z.literal("existing-host"),
    /** Where it is logged in to. */
    host: text.refine(
      (value) => parseHostAddress(value) !== undefined,
      "must be user@address or user@address:port",
    ),
    /** The only key that is believed, from the first connection on. */
    hostKey: text.refine(
      (value) => hostKeyLine.test(value),
      "must be the machine's own public key: the line in /etc/ssh/ssh_host_ed25519_key.pub there",
    ),
    /** A bastion on the way. @default it is reached from here */
    sshThrough: text
      .refine((value) => parseHostAddress(value) !== undefined, "must be user@bastion")
      .optional(),
    sshThroughHostKey: text
      .refine((value) => hostKeyLine.test(value), "must be the bastion's own public key")
      .optional(),
    /** Every GPU that it has; the bootstrap holds it to that. */
    gpus: ownGpus,
    /** Folder on the machine that runs `up`. */
    weightsFolder: text.optional(),
    replaceDriver: flag.default(false),
    allowReboot: flag.default(false),
  })
  .refine(
    ({ weightsBucket, weightsFolder }) =>
      (weightsBucket === undefined) !== (weightsFolder === undefined),
    {
      path: ["weightsFolder"],
      message: "give either that, a folder here, or berth:weightsBucket with aws:region",
      // Told with all other problems, not after them.
      when: ({ value }) => typeof value === "object" && value !== null,
    },
  );

/** What the keys of the stack of such a machine hold once they are checked. */
export type BerthExistingHostSettings = Readonly<z.infer<typeof existingHostSchema>>;
