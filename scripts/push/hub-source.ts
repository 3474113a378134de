import { fileDownloadInfo, listFiles, modelInfo } from "@huggingface/hub";
import { UserError } from "../../components/user-error.ts";
import { HubConnection, type HubPatience } from "./hub-connection.ts";
import { hubEndpoint, hubToken } from "./hub-token.ts";
import type { SourceFile, WeightsSource } from "./source.ts";

/** A repository of models on the hub, at one commit: files that change later are not seen. */
class HubSource implements WeightsSource {
  readonly name: string;
  readonly repository: string;
  readonly files: readonly SourceFile[];
  readonly #connection: HubConnection;
  readonly #commit: string;

  constructor(connection: HubConnection, commit: string, files: readonly SourceFile[]) {
    this.#connection = connection;
    this.#commit = commit;
    this.repository = connection.repository;
    this.name = `hf:${connection.repository}@${commit}`;
    this.files = files;
  }

  read(file: SourceFile, start: number, target: Buffer, signal: AbortSignal): Promise<void> {
    const range = { revision: this.#commit, start, size: file.size };
    return this.#connection.readRange(file.path, range, target, signal);
  }

  finished(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Owner, repository and revision of `owner/name@revision`. @throws UserError when it is not one */
function parseRepository(text: string): { readonly repository: string; readonly revision: string } {
  const [, repository, revision = "main"] = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(text) ?? [];
  if (repository !== undefined && !/(^|\/)\.{1,2}(\/|$)/.test(`${repository}/${revision}`)) {
    return { repository, revision };
  }
  throw new UserError(`"hf:${text}" does not name a model.`, {
    hint: "Give hf:<owner>/<repository>, with @<revision> for another than main.",
  });
}

/**
 * Lists a model's repository on Hugging Face, at the commit that its revision is now.
 *
 * @param text `owner/name`, with `@revision` for another than main
 * @param signal ends the tries
 * @throws UserError when there is no such model or revision, its licence is not accepted, or the hub does not answer
 */
export async function openHub(
  text: string,
  environment: NodeJS.ProcessEnv = process.env,
  patience?: HubPatience,
  signal?: AbortSignal,
): Promise<WeightsSource> {
  const { repository, revision } = parseRepository(text);
  const token = hubToken(environment);
  const hubUrl = hubEndpoint(token, environment);
  const connection = new HubConnection(hubUrl, repository, token, patience);
  const ask: typeof fetch = (input, init) =>
    connection.fetch(input, signal === undefined ? init : { ...init, signal });
  const hub = { hubUrl, fetch: ask };
  const info = await modelInfo({ ...hub, name: repository, revision, additionalFields: ["sha"] });
  const commit = info.sha;
  if (!/^[0-9a-f]{40,64}$/.test(commit)) {
    throw new UserError(`${hubUrl} does not say which commit ${repository}@${revision} is.`, {
      hint: "Check HF_ENDPOINT.",
    });
  }
  const repo = { type: "model" as const, name: repository };
  const files: SourceFile[] = [];
  for await (const entry of listFiles({ ...hub, repo, revision: commit, recursive: true })) {
    if (entry.type !== "file") continue;
    const sha256 = entry.lfs?.oid;
    files.push({
      path: entry.path,
      size: entry.lfs?.size ?? entry.size,
      sha256,
      gitBlob: sha256 === undefined ? entry.oid : undefined,
      version: sha256 ?? entry.oid,
    });
  }
  // A gated model can be listed by anybody; whether it may be read shows with its first byte.
  const first = files.find(({ size }) => size > 0);
  if (info.gated !== false && first !== undefined) {
    await fileDownloadInfo({ ...hub, repo, path: encodeURI(first.path), revision: commit });
  }
  return new HubSource(connection, commit, files);
}
