/**
 * Trust policy by which one AWS service may use a role.
 *
 * @param source limits it to what acts for this resource ARN, or one of these (wildcards allowed), against the confused deputy:
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
export function trustPolicy(service: string, source?: string | readonly string[]): string {
  const limit = source === undefined ? {} : { Condition: { ArnLike: { "aws:SourceArn": source } } };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole", ...limit },
    ],
  });
}
