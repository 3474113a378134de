import type { ManifestFile } from "../../components/weights/manifest.ts";
import type { UploadTools } from "./upload-file.ts";

/** A file of a source, before anything of it is read. */
export interface SourceFile {
  /** Relative to the source, with slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal, where the source publishes it. */
  readonly sha256?: string | undefined;
  /** The id of the content as a git blob, hexadecimal SHA-1, where the source publishes that. */
  readonly gitBlob?: string | undefined;
  /** What the source calls this content; equal means unchanged. Undefined where only reading tells. */
  readonly version?: string | undefined;
}

/** Where weights come from. Files are listed once; each may then be read in any order, many ranges at a time. */
export interface WeightsSource {
  /** For people and the manifest: `hf:owner/repo@revision`, `folder:name`, `s3://bucket/prefix/`. */
  readonly name: string;
  /** The Hugging Face repository, where it is one. */
  readonly repository?: string | undefined;
  readonly files: readonly SourceFile[];
  /**
   * Fills `target` with the file's bytes from `start` on.
   *
   * @throws UserError when the file changed or went away since it was listed, or the source refuses
   */
  read(file: SourceFile, start: number, target: Buffer, signal: AbortSignal): Promise<void>;
  /** Called once a file has been read whole. @throws UserError when it changed under way */
  finished(file: SourceFile): Promise<void>;
  /** Brings a file into the bucket without its bytes passing through here; where there is no such way, they do. */
  copy?(file: SourceFile, expected: string | undefined, tools: UploadTools): Promise<ManifestFile>;
  /** Frees files and connections. */
  close(): Promise<void>;
}
