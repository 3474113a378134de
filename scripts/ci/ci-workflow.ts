/** What a workflow is written for. */
export interface WorkflowTarget {
  readonly stack: string;
  readonly region: string;
  /** Whether the stack has `berth:officeHours`. @default false */
  readonly officeHours?: boolean;
}

/** A workflow as a file below `.github/workflows`. */
export interface WorkflowFile {
  readonly name: string;
  readonly text: string;
}

/** What every job begins with; it holds no key, since the role trusts GitHub's tokens for this repository. */
function setUp(role: string, region: string): string {
  return `      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - uses: pulumi/actions@v6
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: \${{ vars.${role} }}
          aws-region: ${region}`;
}

function environment(region: string): string {
  return `    env:
      PULUMI_BACKEND_URL: \${{ vars.PULUMI_BACKEND_URL }}
      PULUMI_CONFIG_PASSPHRASE: \${{ secrets.PULUMI_CONFIG_PASSPHRASE }}
      AWS_REGION: ${region}`;
}

/**
 * A GitHub Actions workflow that takes a stack down, state included, once its lease is over or, with office hours, once they
 * are, and asks the account what is left: the layer that cleans up what costs nothing. The role trusts GitHub's tokens for
 * this repository
 * (https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments/configuring-openid-connect-in-amazon-web-services).
 */
export function teardownWorkflow({ stack, region, officeHours = false }: WorkflowTarget): string {
  const when = officeHours ? "its lease or its office hours are over" : "its lease is over";
  const flags = officeHours ? "--if-over --if-closed" : "--if-over";
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
${environment(region)}
    steps:
${setUp("BERTH_TEARDOWN_ROLE", region)}
      - name: Take it down if ${when}
        run: npm run berth -- down --env ${stack} ${flags} --yes
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

/** The line by which a stack's comment is found again; the first of every comment. */
export function commentMarker(stack: string): string {
  return `<!-- berth preview of ${stack} -->`;
}

/**
 * A GitHub Actions workflow that previews a stack on a pull request, and keeps one comment there with what would change and
 * cost. A pull request from a fork gets neither role nor secrets, so it is passed over.
 */
export function previewWorkflow({ stack, region }: WorkflowTarget): string {
  return `name: berth preview of ${stack}

on:
  pull_request:

permissions:
  contents: read
  id-token: write
  pull-requests: write

# Of several pushes to one pull request the last one counts. A preview takes no lock.
concurrency:
  group: berth-preview-${stack}-\${{ github.event.pull_request.number }}
  cancel-in-progress: true

jobs:
  preview:
    if: github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    timeout-minutes: 20
${environment(region)}
    steps:
${setUp("BERTH_PREVIEW_ROLE", region)}
      - name: Preview
        run: npm run berth -- preview --env ${stack} --markdown preview.md
      - name: Comment
        if: always() && hashFiles('preview.md') != ''
        env:
          GH_TOKEN: \${{ github.token }}
          ISSUE: repos/\${{ github.repository }}/issues/\${{ github.event.pull_request.number }}
          COMMENTS: repos/\${{ github.repository }}/issues/comments
          MARKER: ${commentMarker(stack)}
        run: |
          mine='.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id'
          comment=$(gh api "$ISSUE/comments" --paginate --jq "$mine" | head -n 1)
          if [ -n "$comment" ]; then
            gh api --method PATCH "$COMMENTS/$comment" -F body=@preview.md --silent
          else
            gh api --method POST "$ISSUE/comments" -F body=@preview.md --silent
          fi
`;
}

/** Every workflow of a stack. */
export function workflowFiles(target: WorkflowTarget): readonly WorkflowFile[] {
  const { stack } = target;
  return [
    { name: `berth-teardown-${stack}.yml`, text: teardownWorkflow(target) },
    { name: `berth-preview-${stack}.yml`, text: previewWorkflow(target) },
  ];
}
