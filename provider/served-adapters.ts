import { adapterProblems, parseAdapterConfig } from "../components/model-server/adapters.ts";
import { UserError } from "../components/user-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";

/** Adapters as a server is asked to serve them. */
export interface AdapterWishes {
  readonly adapters?: readonly { readonly name: string; readonly folder: string }[] | undefined;
  /** The highest rank that memory is reserved for. */
  readonly adapterRank?: number | undefined;
}

/**
 * The adapters by their folders on the host, held to what vLLM can serve: some that it cannot let it start, and kill it with the
 * first request.
 *
 * @throws UserError naming every adapter that cannot be served, and why
 */
export async function servedAdapters(
  host: Host,
  { adapters, adapterRank = 0 }: AdapterWishes,
): Promise<AdapterWishes["adapters"]> {
  if (adapters === undefined) return undefined;
  const found = await Promise.all(
    adapters.map(async ({ name, folder: given }) => {
      const folder = await ensureFolder(host, given);
      const file = { args: [folder], timeoutMs: 30_000 };
      // A host that does not answer is its own error, and says nothing of the adapter.
      const { stdout } = await host.script('cat "$1/adapter_config.json"', file);
      const config = parseAdapterConfig(stdout);
      const problems =
        config === undefined
          ? ["adapter_config.json is missing, or not PEFT's"]
          : [
              ...adapterProblems(config),
              ...(config.r > adapterRank
                ? [
                    `its rank is ${config.r}; berth:adapterRank has to be as high, and is ${adapterRank}`,
                  ]
                : []),
            ];
      return { name, folder, problems };
    }),
  );
  const problems = found.flatMap(({ name, problems }) =>
    problems.map((each) => `${name}: ${each}`),
  );
  if (problems.length === 0) return found.map(({ name, folder }) => ({ name, folder }));
  throw new UserError("vLLM cannot serve these adapters beside the model.", {
    problems,
    hint: "Put that right, take them out of berth:adapters, or merge them: npm run berth -- push job:<folder>",
  });
}
