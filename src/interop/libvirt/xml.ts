import {
  type Document,
  DOMImplementation,
  DOMParser,
  type Element,
  onWarningStopParsing,
  XMLSerializer,
} from "@xmldom/xmldom";
import { Result } from "../../index.js";

/** An element to write: its name, its attributes, and its text or what is in it. What is `undefined` is left out. */
export interface XmlNode {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | number | undefined>>;
  readonly text?: string | number | undefined;
  readonly children?: readonly (XmlNode | undefined)[];
}

// Far above any XML of one domain or one node device: it bounds the time that a hostile one takes.
const LENGTH_MAX = 2 ** 20;
const ELEMENTS_MAX = 20_000;
const DEPTH_MAX = 64;
// What XML 1.0 cannot carry, not even as a reference.
const UNWRITABLE = /(?![\t\n\r])\p{Cc}|[\p{Cs}\uFFFE\uFFFF]/u;

/**
 * Parses XML of somebody else: its root, or why there is none, as a clause. A document type is refused, and with it every
 * entity but those of XML itself; so is what is too long, too deep or has too many elements.
 */
export function parseXml(text: string): Result<Element, string> {
  if (text.length > LENGTH_MAX) return Result.error(`is longer than ${LENGTH_MAX} characters`);
  if (UNWRITABLE.test(text)) return Result.error("holds a character that XML cannot carry");
  if (/<!DOCTYPE/i.test(text)) return Result.error("has a document type, which is not accepted");
  const fault = shapeFault(text);
  if (fault !== undefined) return Result.error(fault);
  let document: Document;
  try {
    document = new DOMParser({ onError: onWarningStopParsing }).parseFromString(text.trim(), "text/xml");
  } catch (thrown) {
    const [line = ""] = thrown instanceof Error ? thrown.message.split("\n", 1) : [];
    return Result.error(`is not well-formed: ${line.slice(0, 200)}`);
  }
  const root = document.documentElement;
  return root === null ? Result.error("has no root element") : Result.ok(root);
}

/** Whether the text is too much for a parser, found before one sees it, in one pass. */
function shapeFault(text: string): string | undefined {
  let [elements, depth] = [0, 0];
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at)) {
    const end = endOfMarkup(text, at);
    if (end === undefined) return undefined; // the parser says what is wrong with it
    const [second, last] = [text[at + 1], text[end - 2]];
    if (second === "/") depth--;
    else if (second !== "!" && second !== "?") {
      if (++elements > ELEMENTS_MAX) return `has more than ${ELEMENTS_MAX} elements`;
      if (last !== "/" && ++depth > DEPTH_MAX) return `is deeper than ${DEPTH_MAX} elements`;
    }
    at = end;
  }
  return undefined;
}

/** Where the markup ends that begins at a `<`; comments and CDATA sections may hold what looks like tags. */
function endOfMarkup(text: string, start: number): number | undefined {
  const closing = text.startsWith("<!--", start)
    ? "-->"
    : text.startsWith("<![CDATA[", start)
      ? "]]>"
      : undefined;
  if (closing !== undefined) {
    const found = text.indexOf(closing, start + (closing === "-->" ? 4 : 9));
    return found === -1 ? undefined : found + closing.length;
  }
  let quote = "";
  for (let at = start + 1; at < text.length; at++) {
    const sign = text.charAt(at);
    if (quote !== "") quote = sign === quote ? "" : quote;
    else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === ">") return at + 1;
    else if (sign === "<") return undefined;
  }
  return undefined;
}

/** Whether a text can be written in XML. */
export function isWritable(text: string): boolean {
  return !UNWRITABLE.test(text);
}

/** Writes XML, two blanks deeper for each level. */
export function formatXml(root: XmlNode): string {
  const document = new DOMImplementation().createDocument(null, "", null);
  document.appendChild(build(document, root, "\n"));
  return `${new XMLSerializer().serializeToString(document)}\n`;
}

function build(
  document: Document,
  { name, attributes = {}, text, children = [] }: XmlNode,
  margin: string,
): Element {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(key, String(value));
  }
  if (text !== undefined) element.appendChild(document.createTextNode(String(text)));
  const present = children.filter((child) => child !== undefined);
  for (const child of present) {
    element.appendChild(document.createTextNode(`${margin}  `));
    element.appendChild(build(document, child, `${margin}  `));
  }
  if (present.length > 0) element.appendChild(document.createTextNode(margin));
  return element;
}

/** The elements of that name right below one. */
export function childrenOf(element: Element, name: string): Element[] {
  const found: Element[] = [];
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === node.ELEMENT_NODE && node.nodeName === name) found.push(node as Element);
  }
  return found;
}

/** The first element of that name right below one. */
export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element === undefined ? undefined : childrenOf(element, name)[0];
}

/** The text of the first element of that name right below one, without blanks around it. */
export function textOf(element: Element | undefined, name: string): string | undefined {
  return childOf(element, name)?.textContent?.trim();
}

/** An attribute, `undefined` where it is not there. */
export function attributeOf(element: Element | undefined, name: string): string | undefined {
  return element?.getAttribute(name) ?? undefined;
}
