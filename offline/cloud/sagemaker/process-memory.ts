import { readdir, readFile } from "node:fs/promises";

const pageMiB = 4096 / 1024 ** 2;

/** Where a process's group and its pages stand in /proc/<pid>/stat, after the name in brackets (proc(5)). */
const [groupField, pagesField] = [2, 21];

/** Memory that the processes of a group hold together, MiB; 0 where the system does not tell. */
export async function groupMemoryMiB(group: number): Promise<number> {
  const names = await readdir("/proc").catch(() => []);
  const held = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return Number(fields[groupField]) === group ? Number(fields[pagesField] ?? 0) * pageMiB : 0;
      }),
  );
  return held.reduce((sum, each) => sum + each, 0);
}
