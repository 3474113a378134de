import { z } from "zod";
import { serverlessLimits } from "../components/sagemaker-endpoint/serverless-limits.ts";

/** The kinds of values that the settings of an endpoint without instances are of. */
interface Kinds {
  readonly text: z.ZodType<string>;
  readonly number: z.ZodType<number>;
  readonly whole: (least: number, most: number) => z.ZodType<number>;
}

const { memoriesMiB, mostConcurrency } = serverlessLimits;

/** What may be set of an endpoint without instances. */
export function serverlessShape({ text, number, whole }: Kinds) {
  return {
    /** Memory of one container. @default the least that holds the model */
    serverlessMemoryMiB: whole(1024, 6144)
      .refine(
        (memory) => memoriesMiB.some((each) => each === memory),
        `must be one of ${memoriesMiB.join(", ")}`,
      )
      .optional(),
    /** Containers that are kept warm. @default none */
    provisionedConcurrency: whole(1, mostConcurrency).optional(),
    /** Price of a second for each GiB of memory, where berth knows none, USD. */
    serverlessUsdPerGiBSecond: number
      .refine((usd) => usd > 0 && usd < 1, "must be USD a second, such as 0.00002")
      .optional(),
    /** Key of the archive that a container unpacks. @default `<weightsPrefix>model.tar.gz` */
    weightsArchive: text
      // The role of its containers names it: a wildcard there would be other people's objects too.
      .refine(
        (key) => /^[^/\s]\S*\.tar\.gz$/.test(key) && !/[*?$"\\]/.test(key),
        "must be a plain key that ends with .tar.gz",
      )
      .optional(),
  };
}
