/** NVLinks of one GPU, as `nvidia-smi nvlink --status` lists them. */
export interface GpuLinks {
  readonly index: number;
  readonly name: string;
  readonly active: number;
  /** Of the slowest active link, GB/s; 0 without one. */
  readonly slowestGBs: number;
  readonly fastestGBs: number;
}

/**
 * Reads the text of `nvidia-smi nvlink --status`, a line each. GPUs without NVLink have a line that says so, and are left out;
 * GPUs whose links are all down have one too, and no list.
 */
export function readLinks(lines: readonly string[]): readonly GpuLinks[] {
  const gpus: { index: number; name: string; speeds: number[]; has: boolean }[] = [];
  for (const line of lines) {
    const [, index, name] = /^\s*GPU (\d+): (.*?)(?: \(UUID|$)/.exec(line) ?? [];
    if (index !== undefined)
      gpus.push({ index: Number(index), name: name ?? "", speeds: [], has: false });
    const gpu = gpus.at(-1);
    if (gpu === undefined) continue;
    const [, speed] = /\bLink \d+: ([\d.]+) GB\/s/.exec(line) ?? [];
    if (speed !== undefined) gpu.speeds.push(Number(speed));
    if (/\bLink \d+:|all links are inactive/i.test(line)) gpu.has = true;
  }
  return gpus
    .filter(({ has }) => has)
    .map(({ index, name, speeds }) => ({
      ...{ index, name, active: speeds.length },
      slowestGBs: speeds.length === 0 ? 0 : Math.min(...speeds),
      fastestGBs: Math.max(0, ...speeds),
    }));
}

/**
 * What is wrong with the links of a host's GPUs. Unused links are no fault by themselves: an H100 PCIe has 12 of 18 by design
 * (https://github.com/Azure/azurehpc-health-checks/issues/162); so each GPU is measured by its neighbours.
 */
export function linkFindings(gpus: readonly GpuLinks[]): readonly string[] {
  const most = Math.max(0, ...gpus.map(({ active }) => active));
  const fastest = Math.max(0, ...gpus.map(({ fastestGBs }) => fastestGBs));
  // Cards in slots have links only where somebody has put a bridge on them.
  if (most === 0 && gpus.length > 1 && !gpus.some(({ name }) => /PCIe|RTX/.test(name)))
    return [`none of the ${gpus.length} GPUs has an NVLink that is up`];
  return gpus.flatMap(({ index, active, slowestGBs }) => {
    if (active < most) return [`GPU ${index} has ${active} NVLinks up, and others have ${most}`];
    if (slowestGBs < fastest)
      return [
        `GPU ${index} has an NVLink at ${slowestGBs} GB/s, and others run at ${fastest} GB/s`,
      ];
    return [];
  });
}
