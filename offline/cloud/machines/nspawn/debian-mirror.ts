import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";

/** Where packages come from, and how to get at it. */
export interface DebianMirror {
  readonly url: string;
  /** The keyring that its signature is held against. */
  readonly keyring: string;
  /** For programs that fetch from it: proxy variables, and wget's settings as lines of its file. */
  readonly environment: Readonly<Record<string, string>>;
  readonly wgetSettings: readonly string[];
}

const usual = {
  url: "http://deb.debian.org/debian",
  keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
};

interface Source {
  readonly url: string;
  readonly suites: readonly string[];
  readonly keyring: string | undefined;
}

/** Reads apt's one-line form. */
export function parseOneLine(text: string): Source[] {
  return text.split("\n").flatMap((line) => {
    const parts = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s/.exec(`${line.trim()} `);
    if (parts === null) return [];
    const [, options = "", url = "", suite = ""] = parts;
    return [{ url, suites: [suite], keyring: /signed-by=(\/\S+)/.exec(options)?.[1] }];
  });
}

/** Reads apt's paragraph form (deb822). */
export function parseParagraphs(text: string): Source[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const lines = paragraph.split("\n").filter((line) => !line.startsWith("#"));
    const field = (name: string): string =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim() ?? "";
    const url = field("uris").split(/\s+/)[0] ?? "";
    if (url === "" || !field("types").split(/\s+/).includes("deb") || field("enabled") === "no")
      return [];
    const keyring = field("signed-by");
    return [
      {
        url,
        suites: field("suites").split(/\s+/),
        keyring: keyring.startsWith("/") ? keyring : undefined,
      },
    ];
  });
}

/** The first source that is Debian's main archive: one that has a suite of a release, and of its updates or alone. */
export function chooseSource(sources: readonly Source[]): Source | undefined {
  const releases = /^(bullseye|bookworm|trixie|forky|sid|stable|testing|unstable|oldstable)$/;
  return sources.find(
    ({ url, suites }) =>
      /^https?:/.test(url) &&
      suites.some((suite) => releases.test(suite)) &&
      /debian\/?$/.test(url),
  );
}

async function readSources(): Promise<Source[]> {
  const folder = "/etc/apt/sources.list.d";
  const names = await readdir(folder).catch(() => []);
  const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const paragraphs = names.filter((name) => name.endsWith(".sources"));
  const lines = names.filter((name) => name.endsWith(".list"));
  return [
    ...parseOneLine(await read("/etc/apt/sources.list")),
    ...(await Promise.all(paragraphs.map((name) => read(join(folder, name))))).flatMap(
      parseParagraphs,
    ),
    ...(await Promise.all(lines.map((name) => read(join(folder, name))))).flatMap(parseOneLine),
  ];
}

/** Values of apt's configuration, by name in lower case. */
export function parseAptConfig(text: string): ReadonlyMap<string, string> {
  const pairs = [...text.matchAll(/^(\S+) "(.*)";$/gm)];
  return new Map(pairs.map(([, name = "", value = ""]) => [name.toLowerCase(), value]));
}

/** Where this host's own apt fetches Debian from, proxy and certificates included; Debian's usual address where it does not say. */
export async function debianMirror(): Promise<DebianMirror> {
  const source = chooseSource(await readSources());
  const settings = parseAptConfig(await run("apt-config", "dump").catch(() => ""));
  const environment: Record<string, string> = {};
  for (const scheme of ["http", "https"] as const) {
    const proxy = settings.get(`acquire::${scheme}::proxy`) ?? process.env[`${scheme}_proxy`];
    if (proxy !== undefined && proxy !== "" && proxy !== "DIRECT")
      environment[`${scheme}_proxy`] = proxy;
  }
  const except = process.env["no_proxy"];
  if (except !== undefined) environment["no_proxy"] = except;
  const wgetSettings: string[] = [];
  const authority = settings.get("acquire::https::cainfo");
  if (authority !== undefined) wgetSettings.push(`ca_certificate = ${authority}`);
  if (settings.get("acquire::https::verify-peer") === "false")
    wgetSettings.push("check_certificate = off");
  return {
    url: process.env["BERTH_DEBIAN_MIRROR"] ?? source?.url ?? usual.url,
    keyring: source?.keyring ?? usual.keyring,
    environment,
    wgetSettings,
  };
}
