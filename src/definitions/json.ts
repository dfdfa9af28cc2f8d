import { Result } from "../index.js";

/**
 * A JSON text as it was written: the order of its members, whatever their names, and its numbers to the last digit, which
 * `JSON.parse` does not keep. `at` is where in the text it begins.
 */
export type Json =
  | { readonly kind: "object"; readonly members: ReadonlyMap<string, Json>; readonly at?: number }
  | { readonly kind: "array"; readonly items: readonly Json[]; readonly at?: number }
  | { readonly kind: "string"; readonly value: string; readonly at?: number }
  | { readonly kind: "literal"; readonly text: string; readonly at?: number };

/** Why a text is no JSON, and where. */
export interface JsonFault {
  readonly reason: string;
  readonly at: number;
}

/** An object with these members. */
export function jsonObject(members: Iterable<readonly [string, Json]>): Json {
  return { kind: "object", members: new Map(members) };
}

/** An array of these. */
export function jsonArray(items: readonly Json[]): Json {
  return { kind: "array", items };
}

/** A text. */
export function jsonString(value: string): Json {
  return { kind: "string", value };
}

const INDENT = "  ";

/** The layout that mdevctl prints and stores: two spaces, a line for each member, no newline at the end. */
export function formatJson(json: Json, indent = ""): string {
  const inner = indent + INDENT;
  const block = (open: string, lines: readonly string[], close: string): string =>
    lines.length === 0
      ? `${open}${close}`
      : `${open}\n${lines.map((line) => inner + line).join(",\n")}\n${indent}${close}`;
  switch (json.kind) {
    case "object": {
      const lines = [...json.members].map(
        ([key, value]) => `${JSON.stringify(key)}: ${formatJson(value, inner)}`,
      );
      return block("{", lines, "}");
    }
    case "array":
      return block(
        "[",
        json.items.map((item) => formatJson(item, inner)),
        "]",
      );
    case "string":
      return JSON.stringify(json.value);
    case "literal":
      return json.text;
  }
}

/** Deeper than this mdevctl does not read either. */
const DEEPEST = 127;
const BLANK = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// eslint-disable-next-line no-control-regex -- what JSON forbids
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const LONE_SURROGATE = /\p{Cs}/u;

/** Reads one JSON text, strictly. Of a name that comes twice the last value counts. */
export function parseJson(text: string): Result<Json, JsonFault> {
  const reader = new Reader(text);
  try {
    return Result.ok(reader.whole());
  } catch (thrown) {
    if (thrown instanceof Unreadable) return Result.error({ reason: thrown.message, at: thrown.at });
    throw thrown;
  }
}

class Unreadable extends Error {
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    const json = this.#value(0);
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return json;
  }

  #value(depth: number): Json {
    this.#take(BLANK);
    const at = this.#at;
    if (depth > DEEPEST) throw new Unreadable("it is nested too deeply", at);
    const json = this.#bare(at, depth);
    this.#take(BLANK);
    return json;
  }

  #bare(at: number, depth: number): Json {
    switch (this.#text[at]) {
      case "{": {
        const members = new Map<string, Json>();
        this.#list("}", () => {
          this.#take(BLANK);
          const key = this.#string();
          this.#take(BLANK);
          this.#expect(":");
          members.set(key, this.#value(depth + 1));
        });
        return { kind: "object", members, at };
      }
      case "[": {
        const items: Json[] = [];
        this.#list("]", () => items.push(this.#value(depth + 1)));
        return { kind: "array", items, at };
      }
      case '"':
        return { kind: "string", value: this.#string(), at };
      default: {
        const text = this.#take(LITERAL);
        if (text === undefined) throw this.#unexpected("a value");
        return { kind: "literal", text, at };
      }
    }
  }

  #list(close: string, element: () => void): void {
    this.#at += 1;
    this.#take(BLANK);
    if (this.#text[this.#at] !== close) {
      element();
      while (this.#text[this.#at] === ",") {
        this.#at += 1;
        element();
      }
    }
    this.#expect(close);
  }

  #string(): string {
    const at = this.#at;
    const quoted = this.#take(STRING);
    if (quoted === undefined) throw this.#unexpected("a text in quotes");
    const value = JSON.parse(quoted) as string;
    if (LONE_SURROGATE.test(value)) throw new Unreadable("a text has half a character", at);
    return value;
  }

  #expect(sign: string): void {
    if (this.#text[this.#at] !== sign) throw this.#unexpected(JSON.stringify(sign));
    this.#at += 1;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #unexpected(wanted: string): Unreadable {
    const found = this.#text[this.#at];
    const what = found === undefined ? "the text ends" : `there is ${JSON.stringify(found)}`;
    return new Unreadable(`${what} where ${wanted} should be`, this.#at);
  }
}
