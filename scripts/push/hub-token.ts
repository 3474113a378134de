import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../components/user-error.ts";

/** Environment variables as `process.env` has them. */
type Environment = Readonly<Record<string, string | undefined>>;

function fileOf(environment: Environment): string {
  const cache = environment["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const home = environment["HF_HOME"] ?? join(cache, "huggingface");
  return environment["HF_TOKEN_PATH"] ?? join(home, "token");
}

/**
 * The Hugging Face token: `HF_TOKEN`, or the file where `hf auth login` left one
 * (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables). It is held in memory and sent to the
 * hub alone. Undefined when there is none, which is enough for open models.
 *
 * @throws UserError when what is there is not a token; it does not repeat it
 */
export function hubToken(environment: Environment = process.env): string | undefined {
  const given = environment["HF_TOKEN"]?.trim();
  const place = given === undefined || given === "" ? fileOf(environment) : "HF_TOKEN";
  let token = given;
  if (place !== "HF_TOKEN") {
    try {
      token = readFileSync(place, "utf8").trim();
    } catch {
      return undefined;
    }
  }
  if (token === undefined || token === "") return undefined;
  if (/^hf_[A-Za-z0-9_-]+$/.test(token)) return token;
  throw new UserError(`${place} does not hold a Hugging Face token: those begin with "hf_".`, {
    hint: "Make one that may read at https://huggingface.co/settings/tokens.",
  });
}

/**
 * Address of the hub: `HF_ENDPOINT`, or https://huggingface.co.
 *
 * @throws UserError when it is no address, or the token would cross a network in the clear
 */
export function hubEndpoint(
  token: string | undefined,
  environment: Environment = process.env,
): string {
  const text = environment["HF_ENDPOINT"] ?? "https://huggingface.co";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UserError(`HF_ENDPOINT is "${text}", which is not an address.`, {
      hint: "Give one such as https://huggingface.co.",
    });
  }
  const near = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (token !== undefined && url.protocol === "http:" && !near) {
    throw new UserError(
      `HF_ENDPOINT is ${text}: the token would go over the network in the clear.`,
      {
        hint: "Use https, or unset the token.",
      },
    );
  }
  return text.replace(/\/+$/, "");
}
