/**
 * What slows a GPU down against its will, by its bit in NVML's mask of reasons; being idle, a set clock and the power limit
 * under load are none of it (https://docs.nvidia.com/deploy/nvml-api/group__nvmlClocksEventReasons.html).
 */
const slowdowns: readonly (readonly [bit: number, why: string])[] = [
  [0x40, "it is too hot"],
  [0x20, "it is hot, and its driver slows it"],
  [0x80, "the power supply asks for it"],
  [0x08, "its hardware slows it"],
];

/** Reads `INDEX, MASK, CLOCK_MHZ, DEFAULT_CLOCK_MHZ`, where a board that does not know a figure says [N/A]. */
export function clockFindings(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const [index = "?", mask = "", set = "", usual = ""] = line
      .split(",")
      .map((part) => part.trim());
    const bits = /^0x[\da-f]+$/i.test(mask) ? Number(mask) : 0;
    // The general bit is set beside the one that says why.
    const why = slowdowns.find(([bit]) => (bits & bit) !== 0)?.[1];
    return [
      ...(why === undefined ? [] : [`GPU ${index} runs below its clock: ${why}`]),
      ...(Number(set) < Number(usual)
        ? [`GPU ${index} is set to ${set} MHz, and its default is ${usual} MHz`]
        : []),
    ];
  });
}
