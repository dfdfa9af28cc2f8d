/**
 * Which facts the doc comments of a public surface leave out. A fact stands in the comment of the member itself or in
 * that of a named type it declares, which its page of the site links to.
 *
 * - errors: each tag that a method or function can end in is explained: `not-found` in backticks;
 * - sysfs: each attribute names its file;
 * - units: each number says its unit, or what it counts or names;
 * - source: what speaks a format of others says where that is from: `Source: ...`.
 */
import ts from "typescript";

/** @typedef {{ rule: "errors" | "sysfs" | "units" | "source"; node: ts.Node; what: string }} MissingFact */
/** @typedef {{ file: string; speaksFormats: boolean }} Surface `speaksFormats`: what it exports is of a kernel, driver or tool. */

const ATTRIBUTES = new Set(["Attribute", "ReadableAttribute", "WritableAttribute"]);
const RESULTS = new Set(["AsyncResult", "Result"]);
const UNIT = new RegExp(
  [
    /\b(?:(?:milli|micro)?seconds?|hertz|bytes?|[KMG]i?B|pixels?|dots per inch|per cent)\b/,
    /\b(?:how many|how often|so many|number|numbers|count|index|order|version|seed|mask|bits?|registers?|descriptors?)\b/,
    /\b(?:ids?|inode|exit status|uid|NUMA node|IOMMU group|PCI vendor|virtual display heads|lines?|characters?)\b/,
    /\bfrom \d+ to \d+\b|`[01]`/,
    /\bAs \{@link/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "iu",
);
const SOURCE = /\b(?:Sources?|Recorded)\b/u;

/** @param {ts.Node} node */
function commentOf(node) {
  const comment = ts.getJSDocCommentsAndTags(node).findLast((part) => ts.isJSDoc(part));
  return (comment?.getText() ?? "").replace(/^\s*\* ?/gmu, "");
}

/** @param {ts.Type} type */
const partsOf = (type) => (type.isUnion() ? type.types : [type]);
/** @param {ts.Type} type */
const nameOf = (type) => (type.aliasSymbol ?? type.getSymbol())?.name ?? "";

/** @param {ts.Type} type */
function isNumber(type) {
  const parts = partsOf(type).filter(({ flags }) => (flags & ts.TypeFlags.Undefined) === 0);
  return parts.length > 0 && parts.every(({ flags }) => (flags & ts.TypeFlags.NumberLike) !== 0);
}

/** @param {ts.Node} node */
const isPublic = (node) => !/@internal\b/u.test(commentOf(node));

/**
 * @param {ts.Program} program
 * @param {readonly Surface[]} surfaces the entry points
 * @returns {MissingFact[]}
 */
export function missingFacts(program, surfaces) {
  const checker = program.getTypeChecker();
  /** @type {Map<ts.Node, MissingFact>} */
  const missing = new Map(); // what two entry points export counts once
  /** @param {MissingFact["rule"]} rule @param {ts.Node} node @param {string} what */
  const miss = (rule, node, what) => missing.set(node, { rule, node, what });
  const isOurs = (/** @type {ts.Node} */ node) =>
    !program.isSourceFileFromExternalLibrary(node.getSourceFile());

  /** @param {ts.Symbol | undefined} symbol */
  const declarationsOf = (symbol) => {
    const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return target?.declarations?.filter(isOurs) ?? [];
  };

  /**
   * The comments of the types that a declaration names, and of those that their aliases name.
   *
   * @param {ts.Node | undefined} node @param {Set<ts.Node>} [seen] @returns {string}
   */
  function commentsOfNamed(node, seen = new Set()) {
    let text = "";
    /** @param {ts.Node} child */
    const visit = (child) => {
      if (ts.isTypeReferenceNode(child)) {
        for (const declaration of declarationsOf(checker.getSymbolAtLocation(child.typeName))) {
          if (seen.has(declaration)) continue;
          seen.add(declaration);
          text += `${commentOf(declaration)}\n`;
          if (ts.isTypeAliasDeclaration(declaration)) text += commentsOfNamed(declaration.type, seen);
        }
      }
      ts.forEachChild(child, visit);
    };
    if (node) visit(node);
    return text;
  }

  /** The tags of the errors in what a call returns. @param {ts.Type} type @returns {string[]} */
  function tagsOf(type) {
    const reference = /** @type {ts.TypeReference} */ (type);
    const [value, error] = type.aliasSymbol
      ? (type.aliasTypeArguments ?? [])
      : checker.getTypeArguments(reference);
    if (nameOf(type) === "Promise" && value) return tagsOf(value);
    if (!RESULTS.has(nameOf(type)) || !error) return [];
    const tags = partsOf(error).map((part) => part.getProperty("type"));
    const types = tags.flatMap((tag) => (tag ? [checker.getTypeOfSymbol(tag)] : []));
    return types.flatMap((tag) => (tag.isStringLiteral() ? [tag.value] : []));
  }

  /** @param {ts.SignatureDeclaration} node @param {string} name @param {string} comment */
  function checkCall(node, name, comment) {
    const signature = checker.getSignatureFromDeclaration(node);
    const explained = comment + commentsOfNamed(node.type);
    const tags = signature ? tagsOf(signature.getReturnType()) : [];
    const absent = tags.filter((tag) => !explained.includes(`\`${tag}\``));
    if (absent.length > 0) miss("errors", node, `${name} does not explain ${absent.join(", ")}`);
  }

  /** @param {ts.PropertyDeclaration | ts.PropertySignature | ts.GetAccessorDeclaration} node @param {string} name */
  function checkProperty(node, name) {
    const type = checker.getTypeAtLocation(node);
    const comment = commentOf(node);
    if (ATTRIBUTES.has(nameOf(type)) && !/`[^`]+`/u.test(comment))
      miss("sysfs", node, `${name} names no file`);
    if (isNumber(type) && !UNIT.test(comment)) miss("units", node, `${name} has no unit: ${comment}`);
    for (const signature of type.getCallSignatures()) {
      const declaration = signature.getDeclaration();
      if (isOurs(declaration)) checkCall(declaration, name, comment);
    }
  }

  /** @param {ts.ClassDeclaration | ts.InterfaceDeclaration} node */
  function checkMembers(node) {
    for (const member of node.members.filter(isPublic)) {
      const name = `${node.name?.text ?? ""}.${member.name?.getText() ?? ""}`;
      if (member.name && ts.isPrivateIdentifier(member.name)) continue;
      if (ts.isMethodDeclaration(member) || ts.isMethodSignature(member)) {
        const isImplementation = commentOf(member) === ""; // of overloads: each of them has its comment
        if (!isImplementation) checkCall(member, name, commentOf(member));
      } else if (
        ts.isPropertyDeclaration(member) ||
        ts.isPropertySignature(member) ||
        ts.isGetAccessor(member)
      ) {
        checkProperty(member, name);
      }
    }
  }

  /** @param {ts.Declaration} node @param {string} name @param {boolean} speaksFormats */
  function check(node, name, speaksFormats) {
    const statement = ts.isVariableDeclaration(node) ? node.parent.parent : node;
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) checkMembers(node);
    if (ts.isFunctionDeclaration(node) && commentOf(node) !== "") checkCall(node, name, commentOf(node));
    if (
      speaksFormats &&
      (ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node)) &&
      commentOf(node) !== ""
    ) {
      const named = [node.name, ...(ts.isFunctionDeclaration(node) ? [...node.parameters, node.type] : [])];
      const told = commentOf(statement) + named.map((part) => commentsOfNamed(part)).join("\n");
      if (!SOURCE.test(told)) miss("source", node, `${name} has no source`);
    }
  }

  for (const { file, speaksFormats } of surfaces) {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    for (const symbol of module ? checker.getExportsOfModule(module) : []) {
      for (const node of declarationsOf(symbol)) check(node, symbol.name, speaksFormats);
    }
  }
  return [...missing.values()];
}
