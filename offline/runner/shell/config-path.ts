import { OfflineError } from "../../offline-error.ts";

/** One step of a path into a setting: a key, or an index of a list. */
export type PathStep = string | number;

const steps = /(?:^|\.)([^.[\]"]+)|\[(\d+)\]|(?:^|\.)?\["((?:[^"\\]|\\.)*)"\]/y;

/**
 * Reads a path into a setting as `config --path` writes it: `outer.inner`, `list[0]`, `outer["a.b"]`, with the
 * namespace of the key in front where there is one (https://www.pulumi.com/docs/concepts/config/#structured-configuration).
 *
 * @throws OfflineError when it is no path
 */
export function parseConfigPath(text: string, project: string): readonly [string, ...PathStep[]] {
  const colon = /^[^.[\]":]+:/.exec(text)?.[0] ?? "";
  const rest = text.slice(colon.length);
  const found: PathStep[] = [];
  steps.lastIndex = 0;
  let at = 0;
  while (at < rest.length) {
    steps.lastIndex = at;
    const match = steps.exec(rest);
    if (match === null) break;
    const [whole, key, index, quoted] = match;
    found.push(
      key ?? (index === undefined ? (JSON.parse(`"${quoted ?? ""}"`) as string) : Number(index)),
    );
    at += whole.length;
  }
  const [first, ...others] = found;
  if (at < rest.length || typeof first !== "string") {
    throw new OfflineError(
      `"${text}" is no path of a setting.`,
      'Paths are written like outer.inner, list[0] or outer["a.b"].',
    );
  }
  return [`${colon === "" ? `${project}:` : colon}${first}`, ...others];
}

/** A value as `config set --path` stores it: true, false and whole numbers are what they say, the rest is text. */
export function pathValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^(?:0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}
