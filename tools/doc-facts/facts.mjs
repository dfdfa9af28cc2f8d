/**
 * Which facts the doc comments of a public surface leave out. A fact stands in the comment of the member itself or in
 * that of a named type it declares, which its page of the site links to.
 *
 * - errors: each tag that a method or function can end in is explained: `not-found` in backticks;
 * - sysfs: each attribute names its file;
 * - units: each number, and each list or attribute of numbers, says its unit, or what it counts or names;
 * - source: what speaks a format of others says where that is from: `Source: ...`.
 */
import ts from "typescript";

/** @typedef {{ rule: "errors" | "sysfs" | "units" | "source"; node: ts.Node; what: string }} MissingFact */
/** @typedef {{ file: string; speaksFormats: boolean }} Surface `speaksFormats`: what it exports is of a kernel, driver or tool. */

const ATTRIBUTES = new Set(["Attribute", "ReadableAttribute", "WritableAttribute"]);
const LISTS = new Set(["Array", "ReadonlyArray", "Set", "ReadonlySet"]);
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
const FILE = /`(?!undefined`|true`|false`)[a-z][\w/.-]*`/u;

/** @param {ts.Node} node */
function commentOf(node) {
  const comment = ts.getJSDocCommentsAndTags(node).findLast((part) => ts.isJSDoc(part));
  return (comment?.getText() ?? "").replace(/^\s*\* ?/gmu, "");
}

/** @param {ts.Type} type */
const partsOf = (type) => (type.isUnion() ? type.types : [type]);
/** @param {ts.Type} type */
const nameOf = (type) => type.getSymbol()?.name ?? "";
/** A comment without what is quoted in it: the name of a file is no unit. @param {string} comment */
const unquoted = (comment) => comment.replace(/`(?![01]`)[^`]*`/gu, "`…`");

/** @param {ts.Node} node */
const isPublic = (node) => !/@internal\b/u.test(commentOf(node));

/**
 * @param {ts.Program} program
 * @param {readonly Surface[]} surfaces the entry points
 * @returns {MissingFact[]}
 */
export function missingFacts(program, surfaces) {
  const checker = program.getTypeChecker();
  /** @type {Map<string, MissingFact>} */
  const missing = new Map(); // what two entry points export counts once
  /** @param {MissingFact["rule"]} rule @param {ts.Node} node @param {string} what */
  const miss = (rule, node, what) =>
    missing.set(`${rule} ${node.getSourceFile().fileName} ${String(node.pos)}`, { rule, node, what });
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

  /** What a type holds: `T` of `Attribute<T>`, of a list, of a promise. @param {ts.Type} type */
  const heldBy = (type) => checker.getTypeArguments(/** @type {ts.TypeReference} */ (type))[0];

  /** The types of a property that the parts of a type have. @param {ts.Type} type @param {string} name */
  const typesOf = (type, name) =>
    partsOf(type).flatMap((part) => {
      const property = part.getProperty(name);
      return property ? partsOf(checker.getTypeOfSymbol(property)) : [];
    });

  /** The tags of the errors in what a call returns. @param {ts.Type} type @returns {string[]} */
  function tagsOf(type) {
    const value = heldBy(type);
    if (nameOf(type).startsWith("Promise") && value) return tagsOf(value);
    const errors = typesOf(type, "$inferError"); // of results, by whatever name
    const tags = errors.flatMap((error) => typesOf(error, "type"));
    return tags.flatMap((tag) => (tag.isStringLiteral() ? [tag.value] : []));
  }

  /** Whether a type is a number, or holds nothing but numbers. @param {ts.Type | undefined} type @returns {boolean} */
  function isNumber(type) {
    const parts = type ? partsOf(type).filter(({ flags }) => (flags & ts.TypeFlags.Undefined) === 0) : [];
    return (
      parts.length > 0 &&
      parts.every((part) => (part.flags & ts.TypeFlags.NumberLike) !== 0 || holdsNumbers(part))
    );
  }
  /** @param {ts.Type} type */
  const holdsNumbers = (type) =>
    (ATTRIBUTES.has(nameOf(type)) || LISTS.has(nameOf(type))) && isNumber(heldBy(type));

  /** @param {ts.SignatureDeclaration} node @param {string} name @param {string} comment */
  function checkCall(node, name, comment) {
    const signature = checker.getSignatureFromDeclaration(node);
    const explained = comment + commentsOfNamed(node.type);
    const tags = signature ? tagsOf(signature.getReturnType()) : [];
    const absent = new Set(tags.filter((tag) => !explained.includes(`\`${tag}\``)));
    if (absent.size > 0) miss("errors", node, `${name} does not explain ${[...absent].join(", ")}`);
    const values = signature ? typesOf(signature.getReturnType(), "$inferValue") : [];
    const isOfNumbers = values.some((value) => isNumber(value)) || isNumber(signature?.getReturnType());
    if (isOfNumbers && !UNIT.test(unquoted(comment))) miss("units", node, `${name} has no unit: ${comment}`);
  }

  /** @param {ts.PropertyDeclaration | ts.PropertySignature | ts.GetAccessorDeclaration} node @param {string} name */
  function checkProperty(node, name) {
    const type = checker.getTypeAtLocation(node);
    const comment = commentOf(node);
    if (ATTRIBUTES.has(nameOf(type)) && !FILE.test(comment)) miss("sysfs", node, `${name} names no file`);
    if (isNumber(type) && !UNIT.test(unquoted(comment)))
      miss("units", node, `${name} has no unit: ${comment}`);
    for (const signature of type.getCallSignatures()) {
      const declaration = signature.getDeclaration();
      if (isOurs(declaration)) checkCall(declaration, name, comment);
    }
  }

  /** @param {ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeLiteralNode} node @param {string} owner */
  function checkMembers(node, owner) {
    for (const member of node.members.filter(isPublic)) {
      const name = `${owner}.${member.name?.getText() ?? ""}`;
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
        if (!ts.isGetAccessor(member)) checkLiterals(member.type, name);
      }
    }
  }

  /** The members of what has no name of its own. @param {ts.Node | undefined} node @param {string} owner */
  function checkLiterals(node, owner) {
    if (node === undefined) return;
    if (ts.isTypeLiteralNode(node)) checkMembers(node, owner);
    else ts.forEachChild(node, (child) => checkLiterals(child, owner));
  }

  /** What a class has from one that is not exported. @param {ts.Node} node @param {string} owner */
  function checkInherited(node, owner) {
    if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return;
    checkMembers(node, owner);
    for (const { expression } of node.heritageClauses?.flatMap(({ types }) => types) ?? []) {
      for (const base of declarationsOf(checker.getSymbolAtLocation(expression))) checkInherited(base, owner);
    }
  }

  /** @param {ts.Declaration} node @param {string} name @param {boolean} speaksFormats */
  function check(node, name, speaksFormats) {
    const statement = ts.isVariableDeclaration(node) ? node.parent.parent : node;
    checkInherited(node, name);
    if (ts.isTypeAliasDeclaration(node)) checkLiterals(node.type, name);
    if (ts.isVariableDeclaration(node)) checkLiterals(node.type, name);
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
