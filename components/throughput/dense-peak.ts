import type { Accelerator } from "../catalogue/accelerator.ts";

/**
 * Peaks that no table gives and that are derived on the low side, 10^12 operations a second: twice the rate outside the
 * tensor cores (116 for the RTX PRO 6000 in its slowest edition, 50.5 for the RTX PRO 4500, both in
 * packages/tasks/src/hardware-nvidia.ts of github.com/huggingface/huggingface.js), as bf16 with 32-bit sums was measured on
 * another board of that architecture (github.com/QuantumDrizzy/BLACKWALL: 47.0 against 23.7).
 */
const derived: Readonly<Record<string, number>> = {
  "RTX PRO 6000 Blackwell Server Edition": 232,
  "RTX PRO 4500 Blackwell Server Edition": 101,
};

/** Dense peak in 16 bit, 10^12 operations a second; undefined where nothing is known. */
export function densePeakTflops({
  model,
  bf16Tflops,
  fp16Tflops,
}: Accelerator): number | undefined {
  return bf16Tflops ?? fp16Tflops ?? (Object.hasOwn(derived, model) ? derived[model] : undefined);
}
