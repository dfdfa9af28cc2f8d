import ts from "typescript";
import { expect, test } from "vitest";
import { missingFacts } from "../../tools/doc-facts/facts.mjs";

const PRELUDE = `
class Gone { readonly type = "gone"; }
class Busy { readonly type = "busy"; }
class AsyncResult<T, E> { declare readonly $inferValue: T; declare readonly $inferError: E; }
class Attribute<T> { declare readonly value: T; }
interface ReadonlyArray<T> { readonly [at: number]: T }
/** It left: \`gone\`. */
type Leaving = Gone;
/** What is named: it ends in {@link Leaving}. */
type Any = Leaving | Busy;
type Outcome = AsyncResult<'', Busy>;
class Base {
  /** M. */
  m(): AsyncResult<'', Gone> { throw 0; }
}
/** A card. Source: its manual. */
interface Card { /** Its address. */ readonly address: string }
`;

/** What is missing in these exports, as `rule: what`. */
function missing(exported: string, speaksFormats = false): string[] {
  const text = PRELUDE + exported.replace("{ /**", "{\n/**"); // a comment is of what begins the next line
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost({}),
    fileExists: (name) => name === "a.ts",
    getSourceFile: (name) =>
      name === "a.ts" ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true) : undefined,
  };
  const program = ts.createProgram(["a.ts"], { noLib: true, strict: true }, host);
  return missingFacts(program, [{ file: "a.ts", speaksFormats }]).map(({ rule, what }) => `${rule}: ${what}`);
}

test.each([
  ["in the comment", "/** `gone`, `busy`. */ export declare function f(): AsyncResult<'', Gone | Busy>;"],
  ["by the union that is named", "/** See it. */ export declare function f(): AsyncResult<'', Leaving>;"],
  ["by both", "/** `busy` when open. */ export declare function f(): AsyncResult<'', Any>;"],
  ["of a member", "export class C { /** `gone`. */ m(): AsyncResult<'', Gone> { throw 0; } }"],
  ["of nothing public", "export class C { /** @internal */ m(): AsyncResult<'', Gone> { throw 0; } }"],
])("error tags are explained %s", (_, exported) => {
  expect(missing(exported)).toEqual([]);
});

test.each([
  ["/** F. */ export declare function f(): AsyncResult<'', Any>;", "errors: f does not explain busy"],
  [
    "export class C { /** M. */ m(): AsyncResult<'', Gone> { throw 0; } }",
    "errors: C.m does not explain gone",
  ],
  ["export interface I { /** M. */ m: () => AsyncResult<'', Gone> }", "errors: I.m does not explain gone"],
  [
    "/** By another name: a count. */ export declare function f(): Outcome;",
    "errors: f does not explain busy",
  ],
  ["export class C extends Base {}", "errors: C.m does not explain gone"],
  ["export type T = { /** How. */ n: number }", "units: T.n has no unit: /** How. */"],
  ["export interface I { /** L. */ l: ReadonlyArray<number> }", "units: I.l has no unit: /** L. */"],
  [
    "export class C { /** `count`. */ declare a: Attribute<number>; }",
    "units: C.a has no unit: /** `count`. */",
  ],
  ["/** How. */ export declare function f(): number;", "units: f has no unit: /** How. */"],
  [
    "/** How. */ export declare function f(): AsyncResult<number, never>;",
    "units: f has no unit: /** How. */",
  ],
  ["export class C { /** `undefined`. */ declare a: Attribute<string>; }", "sysfs: C.a names no file"],
  ["export class C { /** The state. */ declare a: Attribute<string>; }", "sysfs: C.a names no file"],
  ["export interface I { /** How. */ n: number | undefined }", "units: I.n has no unit: /** How. */"],
  ["export class C { /** How. */ get n(): number { return 1; } }", "units: C.n has no unit: /** How. */"],
])("%s is found", (exported, fact) => {
  expect(missing(exported)).toEqual([fact]);
});

test.each([
  "export class C { /** The file `state`. */ declare a: Attribute<string>; }",
  "export interface I { /** How many there are. */ n: number }",
  "export interface I { /** As {@link C.n}. */ n: number }",
])("%s is enough", (exported) => {
  expect(missing(exported)).toEqual([]);
});

test("what speaks the formats of others says where they are from, itself or by a type it names", () => {
  const without = "/** F. */ export declare function f(): string;";
  expect(missing(without, true)).toEqual(["source: f has no source"]);
  expect(missing(without, false)).toEqual([]);
  expect(missing("/** F. Source: a book. */ export declare function f(): string;", true)).toEqual([]);
  expect(missing("/** F. */ export declare function f(card: Card): string;", true)).toEqual([]);
  expect(missing("/** F. */ export declare function f(): Card;", true)).toEqual([]);
});
