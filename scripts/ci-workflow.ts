/** What a teardown workflow is written for. */
export interface WorkflowTarget {
  readonly stack: string;
  readonly region: string;
}

/**
 * A GitHub Actions workflow that takes a stack down, state included, once its lease is over, and asks the account what is
 * left: the layer that cleans up what costs nothing. It holds no key; the role trusts GitHub's tokens for this repository
 * (https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/configuring-openid-connect-in-amazon-web-services).
 */
export function teardownWorkflow({ stack, region }: WorkflowTarget): string {
  return `name: berth teardown of ${stack}

on:
  schedule:
    - cron: "17 * * * *"
  workflow_dispatch:

permissions:
  contents: read
  id-token: write

# One run for a stack at a time, and none is cut off: a half-done destroy leaves a lock behind.
concurrency:
  group: berth-${stack}
  cancel-in-progress: false

jobs:
  teardown:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    env:
      PULUMI_BACKEND_URL: \${{ vars.PULUMI_BACKEND_URL }}
      PULUMI_CONFIG_PASSPHRASE: \${{ secrets.PULUMI_CONFIG_PASSPHRASE }}
      AWS_REGION: ${region}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - uses: pulumi/actions@v6
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: \${{ vars.BERTH_TEARDOWN_ROLE }}
          aws-region: ${region}
      - name: Take it down if its lease is over
        run: npm run berth -- down --env ${stack} --if-over --yes
      - name: Sweep every region for what else is over of it
        if: always()
        run: npm run berth -- audit --env ${stack} --own --fix --yes
      - name: Keep the receipt
        if: always()
        uses: actions/upload-artifact@v4
        with:
          name: receipt
          path: .berth/receipts
          if-no-files-found: ignore
          include-hidden-files: true
`;
}
