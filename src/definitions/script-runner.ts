/** One run of a script. */
export interface ScriptCall {
  /** The script: an absolute path. */
  readonly path: string;
  /** Its arguments, as they are, no shell reads them: `-t TYPE -e EVENT -a ACTION -s STATE -u UUID -p PARENT`. */
  readonly args: readonly string[];
  /** What it finds on its standard input: JSON, or nothing. */
  readonly input: string;
  /** Aborted when it is to end at once. */
  readonly signal: AbortSignal;
}

/** How a script ended. */
export interface ScriptEnd {
  /** Its exit status; `undefined` where a signal ended it. */
  readonly status: number | undefined;
  /** What it wrote to its standard output. */
  readonly output: string;
  /** What it wrote to its standard error. */
  readonly complaint: string;
}

/**
 * What finds and runs mdevctl's scripts for {@link Callouts}. {@link NodeScriptRunner} does it on the local machine; another one
 * can do it elsewhere, or in a test.
 */
export interface ScriptRunner {
  /** The names of what is in a folder and is no folder, in any order; none where the folder is not there. */
  scripts(folder: string): Promise<readonly string[]>;
  /**
   * Runs a script to its end; `undefined` where it is no program that can be run. A failure of the system rejects with an
   * `Error` that has node's `code`.
   */
  run(call: ScriptCall): Promise<ScriptEnd | undefined>;
}
