import { vllmRelease } from "../catalogue/vllm-release.ts";
import { compareVersions } from "../compare-versions.ts";
import { pythonsOf } from "./choose-torch.ts";
import builds from "./compatibility/python-builds.json" with { type: "json" };
import { dataFolderWord } from "./data-folder-word.ts";
import type { HostFacts } from "./facts.ts";
import { pythonPackages } from "./python-engines.ts";
import type { BootstrapWish, PythonNeed } from "./wish.ts";

/** An archive of a Python that needs nothing of the system, unpacked in berth's own folder. */
export interface PythonArchive {
  readonly url: string;
  readonly sha256: string;
  /** Where it is unpacked, on the host. */
  readonly folder: string;
}

/** The Python that a host's environments are made with. */
export interface PythonChoice {
  /** `system`: the one that is there or comes with `python3-venv`; `dnf`: another one of Amazon Linux; `archive`: one of our own. */
  readonly source: "system" | "dnf" | "archive";
  /** Such as "3.12.16", "3.12" where the package system has the last word, "" where it is not known. */
  readonly version: string;
  /** The command that starts it, on the host. */
  readonly command: string;
  /** Of `archive` alone. */
  readonly archive?: PythonArchive | undefined;
  /** What it is, in words. */
  readonly what: string;
  /** Why it is another than the system's; "" where it is that. */
  readonly why: string;
  /** Why it does not do, where there is no other one; undefined where it does. */
  readonly unfit?: string | undefined;
}

/** Python of systems that may come without one, by `ID` and `VERSION_ID` of os-release (packages.ubuntu.com, packages.debian.org). */
const usualPython: Readonly<Record<string, string>> = {
  "ubuntu 22.04": "3.10",
  "ubuntu 24.04": "3.12",
  "debian 12": "3.11",
  "debian 13": "3.13",
  "amzn 2023": "3.9",
};

/** The distributions that get `python3-venv` from their own archive. */
export function hasApt({ os }: Pick<HostFacts, "os">): boolean {
  return os === "ubuntu" || os === "debian";
}

const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");

function torchNeed({ torch, engine, gpu }: BootstrapWish): PythonNeed | undefined {
  if (torch !== undefined && torch !== "newest")
    return { who: `PyTorch ${torch}`, versions: pythonsOf(torch) ?? [] };
  if (torch === undefined && pythonPackages(engine) === undefined) return undefined;
  return { who: "PyTorch", versions: pythonsOf(gpu.count === 0 ? "last" : "newest") ?? [] };
}

function vllmNeed({ engine }: BootstrapWish): PythonNeed | undefined {
  if (engine !== "vllm") return undefined;
  const { version, torch, python } = vllmRelease;
  const versions = (pythonsOf(torch) ?? []).filter((each) => compareVersions(each, python) >= 0);
  return { who: `vLLM ${version}`, versions };
}

/** What is needed of a Python; undefined where no environment is made. */
function needOf(wish: BootstrapWish): PythonNeed | undefined {
  const needs = [vllmNeed(wish), torchNeed(wish), wish.python].filter((each) => each !== undefined);
  const [first, ...others] = needs;
  if (first === undefined) return undefined;
  const versions = first.versions.filter((each) =>
    others.every((other) => other.versions.includes(each)),
  );
  return { who: needs.map(({ who }) => who).join(" and "), versions };
}

/** The last of our builds for a version and the host's processor. */
function archiveOf(facts: HostFacts, wish: BootstrapWish, minor: string): PythonChoice | undefined {
  const build = builds.rows.find(
    ({ version, architecture }) =>
      minorOf(version) === minor && architecture === facts.architecture,
  );
  if (build === undefined || facts.platform !== "Linux") return undefined;
  const { version, architecture } = build;
  const base = wish.pythonMirror?.url.replace(/\/+$/, "") ?? builds.url;
  const name = `cpython-${version}%2B${builds.release}-${architecture}-unknown-linux-gnu-install_only_stripped.tar.gz`;
  const folder = `${dataFolderWord}/interpreters/cpython-${version}-${builds.release}`;
  const sha256 = wish.pythonMirror?.sha256 ?? build.sha256;
  return {
    source: "archive",
    version,
    command: `${folder}/bin/python3`,
    archive: { url: `${base}/${builds.release}/${name}`, sha256, folder },
    what: `CPython ${version} of python-build-standalone, by its SHA-256, in berth's own folder`,
    why: "",
  };
}

/** Amazon Linux has several, each by its own name (https://docs.aws.amazon.com/linux/al2023/ug/python.html). */
function amazonPython(minor: string): PythonChoice {
  const command = `/usr/bin/python${minor}`;
  return {
    source: "dnf",
    version: minor,
    command,
    what: `python${minor} of Amazon Linux`,
    why: "",
  };
}

/** Another Python than the system's, the newest that does. */
function another(
  facts: HostFacts,
  wish: BootstrapWish,
  need: PythonNeed,
): PythonChoice | undefined {
  const minors = [...new Set(builds.rows.map(({ version }) => minorOf(version)))];
  const minor = minors.find((each) => need.versions.includes(each));
  if (minor === undefined) return undefined;
  // Who may install nothing can still unpack one.
  const amazon = `${facts.os} ${facts.osVersion}` === "amzn 2023" && facts.privileged;
  return amazon ? amazonPython(minor) : archiveOf(facts, wish, minor);
}

/**
 * The Python that environments are made with: the system's where it does, else another one, and the system's with a complaint
 * where there is none. Undefined where no environment is made.
 */
export function choosePython(facts: HostFacts, wish: BootstrapWish): PythonChoice | undefined {
  const need = needOf(wish);
  if (need === undefined) return undefined;
  const system = `${facts.os} ${facts.osVersion}`;
  const version = facts.python === "" ? (usualPython[system] ?? "") : facts.python;
  const what = "the system's";
  const own = { source: "system", version, command: "python3", what, why: "" } as const;
  const installs = hasApt(facts) && facts.privileged && facts.folder === "";
  const makesVenv = facts.pythonVenv || installs;
  const fits = need.versions.includes(minorOf(version));
  if (facts.emulated || (fits && makesVenv)) return own;
  const there = version === "" ? "no Python" : `Python ${version}`;
  const lacks = fits ? " without its venv module" : "";
  const made = need.versions.filter((each) => !each.endsWith("t")).join(", ");
  const reason = `${need.who} is made for Python ${made}, and ${system} has ${there}${lacks}`;
  const other = another(facts, wish, need);
  if (other !== undefined) return { ...other, why: reason };
  // What installs it says what is missing, better than is known here.
  if (fits || version === "") return own;
  return {
    ...own,
    unfit: `${reason}; there is no other one for ${facts.platform} ${facts.architecture}`,
  };
}
