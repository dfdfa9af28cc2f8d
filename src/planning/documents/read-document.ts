import {
  type AsyncResult,
  DecodeError,
  InvalidArgumentError,
  Result,
  UnsupportedError,
} from "../../index.js";
import { DocumentFault, Place } from "./place.js";

/**
 * Why a YAML document cannot be read:
 *
 * - `decode`: it is malformed, longer than 1048576 characters, or says what is not known; the message says where;
 * - `invalid-argument`: it is no text at all;
 * - `unsupported`: the package `js-yaml` is not installed.
 */
export type DocumentError = DecodeError | InvalidArgumentError | UnsupportedError;

// Far above any configuration of one cluster: they bound the time and the memory that a hostile one takes.
const LENGTH_MAX = 2 ** 20;
const LIMITS = { maxDepth: 32, maxAliases: 100 };

/**
 * Reads a YAML document of somebody else. The package js-yaml is loaded by the first call, so that nobody else needs it; it
 * refuses keys that come twice, tags that it does not know, and more than one document by itself.
 */
export function readDocument<T>(
  tried: string,
  text: string,
  understand: (document: Place) => T,
): AsyncResult<T, DocumentError> {
  const read = async (): Promise<T> => {
    if (typeof text !== "string") {
      const hint = 'Read the file with the encoding "utf8".';
      throw new InvalidArgumentError({ tried, reason: "the document is no text", hint });
    }
    if (text.length > LENGTH_MAX)
      throw new DocumentFault(`the document is longer than ${LENGTH_MAX} characters`);
    const { load, YAMLException } = await import("js-yaml").catch((cause: unknown) => {
      const reason = "the package js-yaml cannot be loaded";
      const hint = "Install it: npm install js-yaml.";
      throw new UnsupportedError({ tried, reason, hint, missing: "js-yaml", cause });
    });
    try {
      return understand(new Place(load(text, LIMITS)));
    } catch (thrown) {
      if (!(thrown instanceof YAMLException)) throw thrown;
      const line = thrown.mark === undefined ? "" : ` in line ${thrown.mark.line + 1}`;
      const reason = `the document is no YAML that is accepted: ${thrown.reason.slice(0, 200)}${line}`;
      throw new DocumentFault(reason, { cause: thrown });
    }
  };
  return Result.fromAsyncCatching(read, (thrown): DocumentError => {
    if (thrown instanceof DocumentFault)
      return new DecodeError({ tried, reason: thrown.message, raw: text, cause: thrown.cause });
    if (thrown instanceof InvalidArgumentError || thrown instanceof UnsupportedError) return thrown;
    throw thrown;
  }) as AsyncResult<T, DocumentError>;
}
