/**
 * The packages that an engine of Python needs beside PyTorch, from PyPI, exact. transformers and accelerate are of one time
 * (https://pypi.org/project/transformers/4.57.6/, https://pypi.org/project/accelerate/1.12.0/).
 */
const packages: Readonly<Record<string, readonly string[]>> = {
  transformers: [
    "transformers==4.57.6",
    "accelerate==1.12.0",
    "bitsandbytes==0.49.2",
    "sentencepiece==0.2.1",
  ],
  diffusers: ["diffusers==0.36.0", "transformers==4.57.6", "accelerate==1.12.0"],
};

/** What an engine needs in the host's Python environment; undefined for an engine that brings its own. */
export function pythonPackages(engine: string): readonly string[] | undefined {
  return packages[engine];
}
