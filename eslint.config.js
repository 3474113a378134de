import { defineConfig, globalIgnores } from "eslint/config";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

/** What a folder may not import; the direction is index -> stacks -> components -> pure folders. */
function forbid(files, patterns) {
  return {
    files,
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: patterns.map((p) => ({ group: p.group, message: p.why })) },
      ],
    },
  };
}
const noOffline = {
  group: ["**/offline/**"],
  why: "only scripts/ and tests may start what lies in offline/",
};
const noCloud = {
  group: ["@pulumi/*", "@aws-sdk/*", "ssh2"],
  why: "pure folders decide from data alone",
};
const noImpure = {
  group: ["node:fs", "node:fs/promises", "node:child_process", "node:net"],
  why: "pure folders read no disk, clock or environment",
};

export default defineConfig(
  globalIgnores(["node_modules", "coverage", ".berth", "**/*.mjs", "**/*.cjs"]),
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "max-lines": ["error", { max: 250, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ["error", 15],
    },
  },
  forbid(["stacks/**", "provider/**", "index.ts"], [noOffline]),
  forbid(
    ["components/**"],
    [
      noOffline,
      {
        group: ["**/stacks/**", "**/scripts/**", "**/provider/**"],
        why: "components are below stacks, scripts and provider",
      },
    ],
  ),
  forbid(
    [
      "components/{sizing,pricing,throughput,plan-report,plan-page,load-report,notebook,own-machine,lease,training}/**",
      "components/catalogue/!(load).ts",
      "components/{compare-versions,plan,plan-text,plan-figures,range}.ts",
    ],
    [noOffline, noCloud, noImpure],
  ),
  forbid(
    ["offline/**"],
    [
      {
        group: ["**/stacks/**", "**/components/**", "**/provider/*", "**/scripts/**"],
        why: "offline/ knows public protocols only",
      },
    ],
  ),
  forbid(
    ["processes/**"],
    [
      {
        group: ["../*"],
        why: "processes/ is below everything: offline/ takes it too, and knows nothing of the product",
      },
    ],
  ),
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  { files: ["**/*.js"], extends: [tseslint.configs.disableTypeChecked] },
  prettier,
);
