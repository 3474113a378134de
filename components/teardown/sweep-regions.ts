/**
 * Regions that every account has enabled and cannot disable; what opened since 2019 is asked for by name:
 * https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html (2026-11)
 */
export const regionsOfEveryAccount: readonly string[] = [
  ...["ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"],
  ...["ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2"],
  ...["eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"],
];

/** Stands for all of {@link regionsOfEveryAccount} in `berth:sweepRegions`. */
export const defaultRegions = "default";

/** The regions besides a stack's own that `berth:sweepRegions` asks for, each once and in order. */
export function otherRegions(asked: readonly string[], own: string): readonly string[] {
  const all = asked.flatMap((entry) =>
    entry === defaultRegions ? regionsOfEveryAccount : [entry],
  );
  return [...new Set(all)].filter((region) => region !== own).toSorted();
}
