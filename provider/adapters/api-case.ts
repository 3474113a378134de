/** Names of the API that differ from AWS's provider's by more than the case of their first letter. */
const apiNames: Readonly<Record<string, string>> = {
  volumeSizeInGb: "VolumeSizeInGB",
  kmsKeyArn: "KmsKeyId",
};

/** Arguments of a resource of AWS's provider as SageMaker's API names them: `modelName` is `ModelName`, all the way down. */
export function apiCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(apiCase);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    apiNames[key] ?? `${key.charAt(0).toUpperCase()}${key.slice(1)}`,
    apiCase(item),
  ]);
  return Object.fromEntries(entries);
}
